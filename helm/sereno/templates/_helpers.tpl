{{- define "sereno.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "sereno.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sereno.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "sereno.selector" . }}
{{- end -}}

{{- define "sereno.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ .Values.serviceAccount.name | default (include "sereno.name" .) }}
{{- else -}}{{ .Values.serviceAccount.name | default "default" }}{{- end -}}
{{- end -}}

{{- define "sereno.image" -}}
{{- $repository := required "image.repository is needed for collector and incidents: there is no published image, README.md shows how one is built (--set image.repository=registry.example.org/sereno)" .Values.image.repository -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "sereno.rulesKind" -}}
{{- if ne .Values.rules.kind "auto" -}}{{ .Values.rules.kind }}
{{- else if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PrometheusRule" -}}operator
{{- else -}}configmap{{- end -}}
{{- end -}}

{{- define "sereno.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- /* The claim of a workload: (dict "root" $ "name" "incidents" "values" .Values.incidents) */ -}}
{{- define "sereno.claim" -}}
{{- if not .values.persistence.existingClaim -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "sereno.name" .root }}-{{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sereno.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .values.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .values.persistence.size }}
{{- end -}}
{{- end -}}

{{- /* The pod of a workload, but for its container. */ -}}
{{- define "sereno.pod" -}}
serviceAccountName: {{ include "sereno.serviceAccount" .root }}
automountServiceAccountToken: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
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
{{- end -}}

{{- define "sereno.stateVolumes" -}}
- name: state
  persistentVolumeClaim:
    claimName: {{ .values.persistence.existingClaim | default (printf "%s-%s" (include "sereno.name" .root) .name) }}
- name: tmp
  emptyDir: {}
{{- end -}}

{{- /* Of the container: what both workloads have. */ -}}
{{- define "sereno.container" -}}
image: {{ include "sereno.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
workingDir: /var/lib/sereno
securityContext:
  {{- include "sereno.containerSecurity" .root | nindent 2 }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{- end -}}
