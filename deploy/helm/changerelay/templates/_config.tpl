{{/* The configuration file. */}}
{{- define "changerelay.config" -}}
{{ toYaml .Values.config }}
{{- end }}

{{/* What a pod reads only at its start: not tenants, sources and the log's level, which it takes up by itself. */}}
{{- define "changerelay.startConfig" -}}
{{ toYaml (omit .Values.config "tenants" "sources" "log") }}
log: {{ toJson (omit (.Values.config.log | default dict) "level") }}
{{- end }}

{{/* Ports of listeners, as numbers. */}}
{{- define "changerelay.ingestPort" -}}
{{ dig "ingest" "listen" ":8080" .Values.config | splitList ":" | last }}
{{- end }}
{{- define "changerelay.adminPort" -}}
{{ dig "admin" "listen" ":8081" .Values.config | splitList ":" | last }}
{{- end }}

{{- define "changerelay.scheme" -}}
{{ if dig "ingest" "tls" "" .Values.config }}https{{ else }}http{{ end }}
{{- end }}

{{/* The port of a URL; the scheme's usual one if it names none. */}}
{{- define "changerelay.urlPort" -}}
{{- $usual := dict "nats" "4222" "tls" "4222" "ws" "80" "wss" "443" "http" "80" "https" "443" -}}
{{- $u := urlParse (trim . | default "nats://") -}}
{{- $port := regexFind ":[0-9]+$" $u.host | trimPrefix ":" -}}
{{ $port | default (get $usual $u.scheme) }}
{{- end }}

{{/* Ports as a comma list without doubles: of the broker; of Graph and its login; of issuers' keys. */}}
{{- define "changerelay.natsPorts" -}}
{{- $ports := list -}}
{{- range dig "nats" "url" "" .Values.config | splitList "," }}{{ $ports = append $ports (include "changerelay.urlPort" .) }}{{ end -}}
{{ $ports | uniq | join "," }}
{{- end }}
{{- define "changerelay.graphPorts" -}}
{{- $ports := list -}}
{{- range .Values.config.tenants -}}
{{- if .graph_url }}{{ $ports = concat $ports (list (include "changerelay.urlPort" .graph_url) (include "changerelay.urlPort" .authority_url)) }}{{ else }}{{ $ports = append $ports "443" }}{{ end -}}
{{- end -}}
{{ $ports | uniq | sortAlpha | join "," }}
{{- end }}
{{- define "changerelay.issuerPorts" -}}
{{- $ports := list -}}
{{- range .Values.config.sources }}{{ with dig "bearer" "jwks_url" "" . }}{{ $ports = append $ports (include "changerelay.urlPort" .) }}{{ end }}{{ end -}}
{{ $ports | uniq | sortAlpha | join "," }}
{{- end }}

{{- define "changerelay.tracingPort" -}}
{{ with dig "tracing" "endpoint" "" .Values.config }}{{ include "changerelay.urlPort" . }}{{ end }}
{{- end }}

{{/* "true" if a managed identity is used: its tokens come from the machine's metadata service. */}}
{{- define "changerelay.managedIdentity" -}}
{{- range .Values.config.tenants }}{{ if hasKey . "managed_identity" }}true{{ end }}{{ end -}}
{{- end }}

{{/* "true" if files of a folder are named in a part of the configuration. */}}
{{- define "changerelay.mountsTenants" -}}
{{ if contains "/run/secrets/tenants/" (toYaml .Values.config.tenants) }}true{{ end }}
{{- end }}
{{- define "changerelay.mountsSources" -}}
{{ if contains "/run/secrets/sources/" (toYaml .Values.config.sources) }}true{{ end }}
{{- end }}

{{/* What a schema cannot say. Messages name the key. */}}
{{- define "changerelay.check" -}}
{{- $c := .Values.config -}}
{{- if not (dig "nats" "url" "" $c) }}{{ fail "config.nats.url is missing; set it to your broker, as nats://nats.nats.svc:4222" }}{{ end -}}
{{- if not $c.tenants }}{{ fail "config.tenants has no tenant; add one (README.md, Install)" }}{{ end -}}
{{- if not $c.sources }}{{ fail "config.sources has no source; add one (README.md, Install)" }}{{ end -}}
{{- range $name, $s := $c.sources }}{{ range $s.tenants }}
{{- if and (ne . "*") (not (hasKey $c.tenants .)) }}{{ fail (printf "config.sources.%s.tenants: %q is not a tenant in config.tenants" $name .) }}{{ end -}}
{{- end }}{{ end -}}
{{- if eq (include "changerelay.ingestPort" .) (include "changerelay.adminPort" .) }}{{ fail "config.admin.listen: want another port than config.ingest.listen" }}{{ end -}}
{{- range $name := list "ingestPort" "adminPort" }}{{ $port := include (printf "changerelay.%s" $name) $ | int -}}
{{- if or (lt $port 1024) (gt $port 65535) }}{{ fail (printf "config.%s.listen: want a port from 1024 to 65535: pods have no right to lower ones" (trimSuffix "Port" $name)) }}{{ end }}{{ end -}}
{{- range $which := list "tenants" "sources" }}{{ with (index $.Values.secrets $which).external -}}
{{- if not $.Values.secrets.store.name }}{{ fail (printf "secrets.store.name is missing; secrets.%s.external needs a SecretStore" $which) }}{{ end }}{{ end }}{{ end -}}
{{- if and (dig "ingest" "tls" "" $c) (not .Values.secrets.tls.existingSecret) (not .Values.ingest.extraVolumeMounts) }}{{ fail "secrets.tls.existingSecret is missing; config.ingest.tls needs its files" }}{{ end -}}
{{- if lt (int .Values.ingest.terminationGracePeriodSeconds) (add 30 .Values.ingest.stopDelaySeconds | int) }}{{ fail "ingest.terminationGracePeriodSeconds: want at least 30 more than ingest.stopDelaySeconds, or requests under way are cut off" }}{{ end -}}
{{- if and .Values.worker.keda.enabled (not .Values.worker.keda.prometheusURL) }}{{ fail "worker.keda.prometheusURL is missing; KEDA asks Prometheus for what is due" }}{{ end -}}
{{- if gt (int .Values.worker.keda.minReplicas) (int .Values.worker.keda.maxReplicas) }}{{ fail "worker.keda.maxReplicas: want at least worker.keda.minReplicas" }}{{ end -}}
{{- if gt (int .Values.ingest.autoscaling.minReplicas) (int .Values.ingest.autoscaling.maxReplicas) }}{{ fail "ingest.autoscaling.maxReplicas: want at least ingest.autoscaling.minReplicas" }}{{ end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}{{ fail "ingress.hosts is empty; an Ingress without a host takes every name's requests" }}{{ end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}{{ fail "httpRoute.parentRefs is empty; name the Gateway" }}{{ end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled }}{{ fail "monitoring.podMonitor.enabled: want serviceMonitor or podMonitor, not both: every series would be there twice" }}{{ end -}}
{{- with .Values.tests.send }}{{ if .enabled }}{{ range $key := list "tenant" "device" "item" -}}
{{- if not (index $.Values.tests.send $key) }}{{ fail (printf "tests.send.%s is missing; tests.send.enabled needs it" $key) }}{{ end }}{{ end -}}
{{- if not (hasKey $c.tenants .tenant) }}{{ fail (printf "tests.send.tenant: %q is not a tenant in config.tenants" .tenant) }}{{ end }}{{ end }}{{ end -}}
{{- end }}
