{{/* The pod that runs the service, whatever for. */}}

{{/* Pod Security Standard "restricted". */}}
{{- define "rollcall.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int64 .Values.runAsUser }}
runAsGroup: {{ int64 .Values.runAsUser }}
fsGroup: {{ int64 .Values.runAsUser }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "rollcall.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "rollcall.environment" -}}
- name: ROLLCALL_CONFIG
  value: /etc/rollcall/rollcall.conf
{{- include "rollcall.databaseEnv" . }}
{{- if index .root.Values.config "otlp-endpoint" }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name={{ .root.Release.Namespace }},k8s.pod.name=$(POD_NAME)
{{- end }}
{{- with .root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "rollcall.mounts" -}}
- {name: config, mountPath: /etc/rollcall, readOnly: true}
- {name: secrets, mountPath: /run/secrets/rollcall, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- with .root.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "rollcall.volumes" -}}
{{- $root := .root }}
- name: config
  configMap: {name: {{ include "rollcall.fullname" $root }}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- include "rollcall.databaseFiles" . | trim | nindent 6 }}
      {{- range $listener, $secret := dict "" $root.Values.tls.existingSecret "read-" $root.Values.read.tls.existingSecret "proxy-" $root.Values.proxy.tls.existingSecret }}
      {{- if and $secret (or (ne $listener "proxy-") $root.Values.proxy.enabled) }}
      - secret:
          name: {{ $secret }}
          items:
            - {key: tls.crt, path: {{ $listener }}tls/tls.crt}
            - {key: tls.key, path: {{ $listener }}tls/tls.key}
      {{- end }}
      {{- end }}
      {{- with include "rollcall.scimTokenSecret" $root }}
      - secret:
          name: {{ . }}
          items:
            - {key: {{ $root.Values.scim.token.key }}, path: scim-token}
      {{- end }}
      {{- if and $root.Values.proxy.enabled $root.Values.proxy.secret.existingSecret }}
      - secret:
          name: {{ $root.Values.proxy.secret.existingSecret }}
          items:
            - {key: {{ $root.Values.proxy.secret.key }}, path: proxy-secret}
      {{- end }}
      {{- with include "rollcall.openidSecret" $root }}
      - secret:
          name: {{ . }}
          items:
            - {key: {{ $root.Values.openid.key }}, path: openid-client-secret}
      {{- end }}
      {{- with include "rollcall.bootstrapConfigMap" $root }}
      - configMap:
          name: {{ . }}
          items:
            - {key: {{ $root.Values.bootstrap.key }}, path: bootstrap.toml}
      {{- end }}
      {{- with include "rollcall.metadataConfigMap" $root }}
      - configMap:
          name: {{ . }}
          items:
            - {key: {{ $root.Values.saml.metadata.key }}, path: idp-metadata.xml}
      {{- end }}
{{- with $root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "rollcall.annotations" -}}
checksum/config: {{ include "rollcall.config" .root | sha256sum }}
checksum/secrets: {{ printf "%s\n%s\n%s\n%s\n%s" .root.Values.bootstrap.value .root.Values.scim.token.value .root.Values.openid.clientId .root.Values.openid.clientSecret .root.Values.saml.metadata.value | sha256sum }}
{{- with .root.Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "rollcall.scheduling" -}}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A pod that runs one command and ends. Dict: root, use, component, args. */}}
{{- define "rollcall.commandPod" -}}
metadata:
  labels:
    {{- include "rollcall.labels" . | nindent 4 }}
spec:
  {{- include "rollcall.commandPodSpec" . | nindent 2 }}
{{- end -}}

{{- define "rollcall.commandPodSpec" -}}
restartPolicy: Never
serviceAccountName: {{ include "rollcall.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "rollcall.podSecurity" .root | nindent 2 }}
{{- with include "rollcall.scheduling" . }}
{{ . | trim }}
{{- end }}
containers:
  - name: {{ .component }}
    image: {{ include "rollcall.image" (dict "root" .root "image" .root.Values.image) }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args: {{ toJson .args }}
    env:
      {{- include "rollcall.environment" . | nindent 6 }}
    securityContext:
      {{- include "rollcall.containerSecurity" . | nindent 6 }}
    resources:
      {{- toYaml .root.Values.resources | nindent 6 }}
    volumeMounts:
      {{- include "rollcall.mounts" . | nindent 6 }}
volumes:
  {{- include "rollcall.volumes" . | trim | nindent 2 }}
{{- end -}}
