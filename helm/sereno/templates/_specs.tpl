{{- /* A repository made of specs, as JSON: volumes, and mounts below /srv/sereno. */ -}}
{{- define "sereno.repository" -}}
{{- $own := printf "%s-specs" (include "sereno.name" .) -}}
{{- $sources := list -}}
{{- if .Values.specs.inline -}}
{{- $items := list -}}
{{- range $file, $_ := .Values.specs.inline }}{{ $items = append $items (dict "key" $file "path" $file) }}{{ end -}}
{{- $sources = append $sources (dict "configMap" (dict "name" $own "items" $items)) -}}
{{- end -}}
{{- with .Values.specs.existingConfigMap }}{{ $sources = append $sources (dict "configMap" (dict "name" .)) }}{{ end -}}
{{- $volumes := list (dict "name" "repository" "emptyDir" dict) (dict "name" "specs" "projected" (dict "sources" $sources)) (dict "name" "settings" "configMap" (dict "name" $own "items" (list (dict "key" "sereno.yaml" "path" "sereno.yaml")))) -}}
{{- $mounts := list (dict "name" "repository" "mountPath" "/srv/sereno") (dict "name" "specs" "mountPath" "/srv/sereno/slo/specs" "readOnly" true) (dict "name" "settings" "mountPath" "/srv/sereno/sereno.yaml" "subPath" "sereno.yaml" "readOnly" true) -}}
{{ dict "volumes" $volumes "mounts" $mounts | toJson }}
{{- end -}}

{{- /* The container that compiles them: (dict "root" $ "args" (list "compile") "mounts" (list …)) */ -}}
{{- define "sereno.compileContainer" -}}
name: compile
{{ include "sereno.container" (dict "root" .root "values" .root.Values.specs) | replace "workingDir: /var/lib/sereno" "workingDir: /srv/sereno" }}
command: [sereno]
args:
  {{- toYaml .args | nindent 2 }}
volumeMounts:
  {{- toYaml (concat (include "sereno.repository" .root | fromJson).mounts (list (dict "name" "tmp" "mountPath" "/tmp")) (.mounts | default list)) | nindent 2 }}
{{- end -}}

{{- define "sereno.prometheusEnv" -}}
{{- if .Values.prometheus.urlSecret -}}
{{ list (dict "name" "SERENO_PROMETHEUS_URL" "valueFrom" (dict "secretKeyRef" (dict "name" .Values.prometheus.urlSecret "key" "url"))) | toJson }}
{{- else -}}
{{ list (dict "name" "SERENO_PROMETHEUS_URL" "value" .Values.prometheus.url) | toJson }}
{{- end -}}
{{- end -}}
