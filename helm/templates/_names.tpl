{{/* Names and labels of everything the chart makes. */}}

{{- define "rollcall.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough that the longest suffix, "-openid-client", stays within 63 characters. */}}
{{- define "rollcall.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "rollcall.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "rollcall.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Called with (dict "root" $ "component" "api"). These never change: Deployments select by them. */}}
{{- define "rollcall.selector" -}}
app.kubernetes.io/name: {{ include "rollcall.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "rollcall.labels" -}}
{{ include "rollcall.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: rollcall
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "rollcall.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "rollcall.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Called with (dict "root" $ "image" .Values.image). */}}
{{- define "rollcall.image" -}}
{{- $registry := .root.Values.image.registry -}}
{{- $name := ternary (printf "%s/%s" $registry .image.repository) .image.repository (ne $registry "") -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "rollcall.databaseCluster" -}}
{{- default (printf "%s-db" (include "rollcall.fullname" .)) .Values.cnpg.clusterName -}}
{{- end -}}

{{- define "rollcall.databaseSecret" -}}
{{- if .Values.cnpg.enabled -}}
{{- printf "%s-app" (include "rollcall.databaseCluster" .) -}}
{{- else -}}
{{- .Values.database.existingSecret -}}
{{- end -}}
{{- end -}}

{{- define "rollcall.scimTokenSecret" -}}
{{- if .Values.scim.token.existingSecret -}}
{{- .Values.scim.token.existingSecret -}}
{{- else if .Values.scim.token.value -}}
{{- printf "%s-scim-token" (include "rollcall.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "rollcall.openidSecret" -}}
{{- if .Values.openid.existingSecret -}}
{{- .Values.openid.existingSecret -}}
{{- else if .Values.openid.clientSecret -}}
{{- printf "%s-openid-client" (include "rollcall.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "rollcall.bootstrapConfigMap" -}}
{{- if .Values.bootstrap.configMap -}}
{{- .Values.bootstrap.configMap -}}
{{- else if .Values.bootstrap.value -}}
{{- printf "%s-bootstrap" (include "rollcall.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "rollcall.metadataConfigMap" -}}
{{- if .Values.saml.metadata.configMap -}}
{{- .Values.saml.metadata.configMap -}}
{{- else if .Values.saml.metadata.value -}}
{{- printf "%s-saml-metadata" (include "rollcall.fullname" .) -}}
{{- end -}}
{{- end -}}
