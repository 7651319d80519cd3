{{/* Parts that pods share. Nothing here needs a right: the image runs as it is under Pod Security "restricted". */}}
{{- define "changerelay.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "changerelay.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
privileged: false
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Where pods go. Takes (root, component). */}}
{{- define "changerelay.placement" -}}
{{- $c := index .root.Values .component -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $c.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $c.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $c.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $c.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- if $c.topologySpreadConstraints }}
  {{- toYaml $c.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    # A single node, or zone, is better than no pod.
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "changerelay.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
  {{- end }}
{{- end }}

{{/* Health: alive while the process answers, ready while the broker does. The broker's elections take 5 s; ingest answers
     503 with Retry-After meanwhile, better than a proxy's 502, so it leaves the Service only after 30 s. */}}
{{- define "changerelay.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: admin }
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: { path: /healthz, port: admin }
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: admin }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 6
{{- end }}

{{/* Folders of secrets, by name. Takes (name, secret). */}}
{{- define "changerelay.secretVolume" -}}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
{{- end }}

{{- define "changerelay.secretMount" -}}
- name: {{ . }}
  mountPath: /run/secrets/{{ . }}
  readOnly: true
{{- end }}

{{- define "changerelay.configVolume" -}}
- name: config
  configMap:
    name: {{ include "changerelay.fullname" . }}
{{- end }}

{{/* A folder, not a subPath: those never change in a running pod. */}}
{{- define "changerelay.configMount" -}}
- name: config
  mountPath: /etc/changerelay
  readOnly: true
{{- end }}
