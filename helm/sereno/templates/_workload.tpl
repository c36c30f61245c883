{{- /*
A workload is a dict: root, name, values, job, and
  args      of the container
  port      the one that serves metrics, portName its name
  health    the path that probes ask; without one, or with a web configuration, they only connect
  ports, env, mounts, volumes, init, sidecars   further ones, as lists
  state     "claim" or "none": what /var/lib/sereno is
*/ -}}

{{- /* Set for all that a template includes of this file. */ -}}
{{- define "sereno.claim" -}}
{{- if not .values.persistence.existingClaim }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "sereno.metadata" . | nindent 2 }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .values.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .values.persistence.size }}
{{- end }}
{{- end -}}

{{- /* (dict … "ports" (list (dict "name" "http" "port" 80 "target" "http"))) */ -}}
{{- define "sereno.service" -}}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "sereno.metadata" . | nindent 2 }}
    job: {{ .job }}
  {{- with (.values.service | default dict).annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  selector:
    {{- include "sereno.workloadSelector" . | nindent 4 }}
  {{- if .sticky }}
  # Who began a backtest asks the same pod for its answer.
  sessionAffinity: ClientIP
  {{- end }}
  ports:
    {{- range .servicePorts }}
    - {name: {{ .name }}, port: {{ .port }}, targetPort: {{ .target }}}
    {{- end }}
{{ end -}}

{{- define "sereno.networkPolicy" -}}
{{- if .root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "sereno.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "sereno.workloadSelector" . | nindent 6 }}
  policyTypes: [Ingress{{ if .values.networkPolicy.egress }}, Egress{{ end }}]
  ingress:
    - ports: [{port: {{ .portName }}}]
      from:
        {{- toYaml .root.Values.networkPolicy.scrapers | nindent 8 }}
    {{- with .values.networkPolicy.from }}
    - ports:
        {{- range $.doors }}
        - {port: {{ . }}}
        {{- end }}
      from:
        {{- toYaml . | nindent 8 }}
    {{- end }}
  {{- with .values.networkPolicy.egress }}
  egress:
    - ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "sereno.ingress" -}}
{{- with .values.ingress }}
{{- if .enabled }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "sereno.metadata" $ | nindent 2 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if .tlsSecret }}
  tls: [{hosts: [{{ .host | quote }}], secretName: {{ .tlsSecret }}}]
  {{- end }}
  rules:
    - host: {{ required (printf "%s.ingress.host is needed: the name by which it is reached" $.name) .host | quote }}
      http:
        paths:
          - path: {{ $.ingressPath }}
            pathType: Prefix
            backend: {service: {name: {{ include "sereno.name" $.root }}-{{ $.name }}, port: {name: http}}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sereno.probe" -}}
{{- if and .health (not (.values.web | default dict).configSecret) -}}
httpGet: {path: {{ .health }}, port: {{ .portName }}}
{{- else -}}
tcpSocket: {port: {{ .portName }}}
{{- end -}}
{{- end -}}

{{- define "sereno.container" -}}
image: {{ include "sereno.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
workingDir: /var/lib/sereno
securityContext:
  {{- include "sereno.containerSecurity" .root | nindent 2 }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{- end -}}

{{- define "sereno.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- /* The pod: metadata and spec. */ -}}
{{- define "sereno.pod" -}}
{{- $web := (.values.web | default dict).configSecret -}}
metadata:
  labels:
    {{- /* No version of the chart: a pod that doesn't change isn't replaced. */}}
    {{- include "sereno.workloadSelector" . | nindent 4 }}
    job: {{ .job }}
  {{- $annotations := deepCopy (.values.podAnnotations | default dict) }}
  {{- with .checksum }}{{ $_ := set $annotations "sereno/config" . }}{{ end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "sereno.serviceAccount" .root }}
  automountServiceAccountToken: false
  securityContext:
    {{- toYaml (.podSecurity | default .root.Values.podSecurityContext) | nindent 4 }}
  {{- with include "sereno.placement" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .spread }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .init }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      {{- include "sereno.container" . | nindent 6 }}
      command: [sereno]
      args:
        {{- toYaml .args | nindent 8 }}
        {{- if $web }}
        - --web-config
        - /etc/sereno/web/web.yml
        {{- end }}
      {{- with concat (.env | default list) (.values.env | default list) }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - {name: {{ .portName }}, containerPort: {{ .port }}}
        {{- with .ports }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      startupProbe:
        {{- include "sereno.probe" . | nindent 8 }}
        periodSeconds: 2
        failureThreshold: 60
      readinessProbe:
        {{- include "sereno.probe" . | nindent 8 }}
        periodSeconds: 10
        timeoutSeconds: 5
      livenessProbe:
        {{- include "sereno.probe" . | nindent 8 }}
        periodSeconds: 20
        timeoutSeconds: 5
      volumeMounts:
        - {name: state, mountPath: /var/lib/sereno}
        - {name: tmp, mountPath: /tmp}
        {{- if $web }}
        - {name: web, mountPath: /etc/sereno/web, readOnly: true}
        {{- end }}
        {{- with .mounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .sidecars }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: state
      {{- if .statePath }}
      hostPath: {path: {{ .statePath }}, type: DirectoryOrCreate}
      {{- else if .values.persistence }}
      persistentVolumeClaim:
        claimName: {{ .values.persistence.existingClaim | default (printf "%s-%s" (include "sereno.name" .root) .name) }}
      {{- else }}
      emptyDir: {}
      {{- end }}
    - name: tmp
      emptyDir: {}
    {{- with $web }}
    - name: web
      secret: {secretName: {{ . }}, defaultMode: 0440}
    {{- end }}
    {{- with .volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- /* A Deployment; with why (a comment) it is one pod, replaced and not rolled. */ -}}
{{- define "sereno.deployment" -}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "sereno.metadata" . | nindent 2 }}
spec:
  {{- if .one }}
  # {{ .one }}
  replicas: 1
  strategy: {type: Recreate}
  {{- else if not .scaled }}
  replicas: {{ .replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "sereno.workloadSelector" . | nindent 6 }}
  template:
    {{- include "sereno.pod" . | nindent 4 }}
{{ end -}}

{{- /* Configuration of a workload that is one file: (dict … "file" "exporters.yaml") */ -}}
{{- define "sereno.configuration" -}}
{{- if and (not .values.config) (not .values.existingConfigMap) }}
{{- fail (printf "%s.config or %s.existingConfigMap is needed: what %s holds" .name .name .file) }}
{{- end }}
{{- if not .values.existingConfigMap }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "sereno.metadata" . | nindent 2 }}
data:
  {{ .file }}: |
    {{- toYaml .values.config | nindent 4 }}
{{- end }}
{{- end -}}

{{- /* Volumes and mounts for the configuration and the Secrets of its passwords, as JSON. */ -}}
{{- define "sereno.configured" -}}
{{- $map := .values.existingConfigMap | default (printf "%s-%s" (include "sereno.name" .root) .name) -}}
{{- $volumes := list (dict "name" "config" "configMap" (dict "name" $map)) -}}
{{- $mounts := list (dict "name" "config" "mountPath" "/etc/sereno/config" "readOnly" true) -}}
{{- range $secret := .values.secrets -}}
{{- $volumes = append $volumes (dict "name" (printf "secret-%s" $secret) "secret" (dict "secretName" $secret "defaultMode" 288)) -}}
{{- $mounts = append $mounts (dict "name" (printf "secret-%s" $secret) "mountPath" (printf "/etc/sereno/secrets/%s" $secret) "readOnly" true) -}}
{{- end -}}
{{ dict "volumes" $volumes "mounts" $mounts | toJson }}
{{- end -}}
