{{- /* Where Elasticsearch is and who asks, as JSON: url, apiKeySecret, userSecret, caSecret; that of ECK if no other is named. */ -}}
{{- define "sereno.elasticsearch" -}}
{{- $found := deepCopy .Values.elasticsearch -}}
{{- if and .Values.eck.enabled (not $found.url) -}}
{{- $_ := set $found "url" (printf "https://%s-es-http.%s.svc:9200" (include "sereno.name" .) .Release.Namespace) -}}
{{- $_ := set $found "caSecret" ($found.caSecret | default (printf "%s-es-http-certs-public" (include "sereno.name" .))) -}}
{{- end -}}
{{- if and $found.apiKeySecret $found.userSecret -}}
{{- fail "elasticsearch.apiKeySecret and elasticsearch.userSecret are two ways to say who asks; leave one out" -}}
{{- end -}}
{{ toJson $found }}
{{- end -}}

{{- /* env, volumes and mounts of a workload that writes to Elasticsearch, as JSON. */ -}}
{{- define "sereno.elasticsearchAccess" -}}
{{- $at := include "sereno.elasticsearch" . | fromJson -}}
{{- $env := list -}}{{- $volumes := list -}}{{- $mounts := list -}}
{{- if $at.url -}}
{{- $env = append $env (dict "name" "SERENO_ELASTICSEARCH_URL" "value" $at.url) -}}
{{- if $at.apiKeySecret -}}
{{- $env = append $env (dict "name" "SERENO_ELASTICSEARCH_API_KEY_FILE" "value" "/etc/sereno/api-key/api-key") -}}
{{- $volumes = append $volumes (dict "name" "api-key" "secret" (dict "secretName" $at.apiKeySecret "defaultMode" 288 "items" (list (dict "key" "api-key" "path" "api-key")))) -}}
{{- $mounts = append $mounts (dict "name" "api-key" "mountPath" "/etc/sereno/api-key" "readOnly" true) -}}
{{- end -}}
{{- if $at.userSecret -}}
{{- $env = append $env (dict "name" "SERENO_ELASTICSEARCH_USERNAME_FILE" "value" "/etc/sereno/user/username") -}}
{{- $env = append $env (dict "name" "SERENO_ELASTICSEARCH_PASSWORD_FILE" "value" "/etc/sereno/user/password") -}}
{{- $items := list (dict "key" "username" "path" "username") (dict "key" "password" "path" "password") -}}
{{- $volumes = append $volumes (dict "name" "user" "secret" (dict "secretName" $at.userSecret "defaultMode" 288 "items" $items)) -}}
{{- $mounts = append $mounts (dict "name" "user" "mountPath" "/etc/sereno/user" "readOnly" true) -}}
{{- end -}}
{{- if $at.caSecret -}}
{{- $env = append $env (dict "name" "SERENO_ELASTICSEARCH_CA_FILE" "value" "/etc/sereno/ca/ca.crt") -}}
{{- $volumes = append $volumes (dict "name" "ca" "secret" (dict "secretName" $at.caSecret "defaultMode" 288 "items" (list (dict "key" "ca.crt" "path" "ca.crt")))) -}}
{{- $mounts = append $mounts (dict "name" "ca" "mountPath" "/etc/sereno/ca" "readOnly" true) -}}
{{- end -}}
{{- end -}}
{{ dict "env" $env "volumes" $volumes "mounts" $mounts | toJson }}
{{- end -}}
