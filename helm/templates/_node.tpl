{{/* What the nodes are told: workbench-nss.conf. */}}

{{- define "rollcall.nodeConfig" -}}
server-address={{ join "," .Values.nodeAgent.serverAddresses }}
admin-token-path=/etc/rstudio/admin-token
user-token-path=/etc/rstudio/user-token
{{- range $key := keys .Values.nodeAgent.config | sortAlpha }}
{{ $key }}={{ include "rollcall.scalar" (index $.Values.nodeAgent.config $key) }}
{{- end }}
{{- end -}}
