{{- define "changerelay.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 43 | trimSuffix "-" }}
{{- end }}

{{/* Suffixes have at most 20 characters: a name has 63. */}}
{{- define "changerelay.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 43 | trimSuffix "-" }}
{{- else if contains (include "changerelay.name" .) .Release.Name -}}
{{ .Release.Name | trunc 43 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "changerelay.name" .) | trunc 43 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* What selects pods; it never changes while a release lives. Takes (root, component). */}}
{{- define "changerelay.selector" -}}
app.kubernetes.io/name: {{ include "changerelay.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of pods: none that changes with the chart alone, which would restart them. */}}
{{- define "changerelay.podLabels" -}}
{{ include "changerelay.selector" . }}
app.kubernetes.io/part-of: changerelay
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "changerelay.labels" -}}
{{ include "changerelay.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Metadata of an object. Takes (root, component, name) and optionally annotations and labels. */}}
{{- define "changerelay.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "changerelay.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "changerelay.serviceAccount" -}}
{{- $c := index .root.Values .component -}}
{{ $c.serviceAccount.name | default (printf "%s-%s" (include "changerelay.fullname" .root) .component) }}
{{- end }}

{{- define "changerelay.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "changerelay.tenantsSecret" -}}
{{ .Values.secrets.tenants.existingSecret | default (printf "%s-tenants" (include "changerelay.fullname" .)) }}
{{- end }}

{{- define "changerelay.sourcesSecret" -}}
{{ .Values.secrets.sources.existingSecret | default (printf "%s-sources" (include "changerelay.fullname" .)) }}
{{- end }}
