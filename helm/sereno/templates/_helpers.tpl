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

{{- /* The head of an object of a workload: (dict "root" $ "name" "incidents") */ -}}
{{- define "sereno.metadata" -}}
name: {{ include "sereno.name" .root }}-{{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "sereno.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "sereno.workloadSelector" -}}
{{ include "sereno.selector" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "sereno.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ .Values.serviceAccount.name | default (include "sereno.name" .) }}
{{- else -}}{{ .Values.serviceAccount.name | default "default" }}{{- end -}}
{{- end -}}

{{- define "sereno.image" -}}
{{- $repository := required "image.repository is needed for every workload and for specs: there is no published image, deploy/Dockerfile builds it (--set image.repository=registry.example.org/sereno)" .Values.image.repository -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "sereno.rulesKind" -}}
{{- if ne .Values.rules.kind "auto" -}}{{ .Values.rules.kind }}
{{- else if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PrometheusRule" -}}operator
{{- else -}}configmap{{- end -}}
{{- end -}}

{{- /* What the Prometheus Operator selects by: (dict "root" $ "labels" .Values.rules.labels), a YAML map or nothing. */ -}}
{{- define "sereno.operatorLabels" -}}
{{- $labels := deepCopy (.labels | default dict) -}}
{{- with .root.Values.releaseLabel }}{{ $labels = merge $labels (dict "release" .) }}{{ end -}}
{{- with $labels }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- /* "true" where specs of the values or of a ConfigMap are compiled in the cluster. */ -}}
{{- define "sereno.compiles" -}}
{{- if or .Values.specs.inline .Values.specs.existingConfigMap }}true{{ end -}}
{{- end -}}

{{- /* The workloads that are switched on, as JSON: name → the job of its targets. */ -}}
{{- define "sereno.workloads" -}}
{{- $jobs := dict "exporters" "sereno-exporters" "devops" "sereno-devops" "collector" "sereno-collector" "nodeLogs" "sereno-collector" "incidents" "sereno-incidents" "portal" "sereno-portal" -}}
{{- $found := dict -}}
{{- range $name, $job := $jobs }}
{{- if (index $.Values $name).enabled }}{{ $_ := set $found $name $job }}{{ end -}}
{{- end -}}
{{ toJson $found }}
{{- end -}}

{{- define "sereno.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- /* The name of a workload in names and labels: nodeLogs is node-logs. */ -}}
{{- define "sereno.component" -}}{{ . | kebabcase }}{{- end -}}
