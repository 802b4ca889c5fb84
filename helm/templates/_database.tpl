{{/* How the service reaches PostgreSQL: connection strings without passwords in the environment, passwords as files. */}}

{{/* A variable with a literal, or a key of a Secret. Dict: name, value, secret, key. */}}
{{- define "rollcall.fromSecret" -}}
- name: {{ .name }}
{{- if .value }}
  value: {{ include "rollcall.scalar" .value | quote }}
{{- else }}
  valueFrom:
    secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}
{{- end }}
{{- end -}}

{{- define "rollcall.standbyHost" -}}
{{- if .Values.database.read.host -}}
{{- .Values.database.read.host -}}
{{- else if .Values.cnpg.enabled -}}
{{- printf "%s-ro" (include "rollcall.databaseCluster" .) -}}
{{- end -}}
{{- end -}}

{{- define "rollcall.databaseEnv.shared" -}}
{{- $database := .Values.database }}
{{- $secret := include "rollcall.databaseSecret" . }}
{{ include "rollcall.fromSecret" (dict "name" "DATABASE_HOST" "value" $database.host "secret" $secret "key" $database.keys.host) }}
{{ include "rollcall.fromSecret" (dict "name" "DATABASE_PORT" "value" $database.port "secret" $secret "key" $database.keys.port) }}
{{ include "rollcall.fromSecret" (dict "name" "DATABASE_NAME" "value" $database.name "secret" $secret "key" $database.keys.name) }}
{{ include "rollcall.fromSecret" (dict "name" "DATABASE_USER" "value" $database.user "secret" $secret "key" $database.keys.user) }}
{{- end -}}

{{/* The parts that each connection string shares are needed unless every string comes whole. */}}
{{- define "rollcall.databaseNeedsParts" -}}
{{- $database := .Values.database -}}
{{- if or (not $database.keys.uri) (and (include "rollcall.standbyHost" .) (not $database.read.keys.uri)) (and $database.migrate.existingSecret (not $database.migrate.keys.uri)) -}}1{{- end -}}
{{- end -}}

{{- define "rollcall.primaryEnv" -}}
{{- if .Values.database.keys.uri }}
- name: ROLLCALL_DATABASE_URI_FILE
  value: /run/secrets/rollcall/database/uri
{{- else }}
- name: ROLLCALL_DATABASE_URI
  value: "host='$(DATABASE_HOST)' port='$(DATABASE_PORT)' dbname='$(DATABASE_NAME)' user='$(DATABASE_USER)' sslmode={{ .Values.database.sslmode }} target_session_attrs=read-write"
- name: ROLLCALL_DATABASE_PASSWORD_FILE
  value: /run/secrets/rollcall/database/password
{{- end }}
{{- end -}}

{{- define "rollcall.standbyEnv" -}}
{{- $read := .Values.database.read }}
{{- $secret := default (include "rollcall.databaseSecret" .) $read.existingSecret }}
{{- if $read.keys.uri }}
- name: ROLLCALL_DATABASE_READ_URI_FILE
  value: /run/secrets/rollcall/database/read-uri
{{- else if include "rollcall.standbyHost" . }}
{{- if or $read.user $read.existingSecret }}
{{ include "rollcall.fromSecret" (dict "name" "DATABASE_READ_USER" "value" $read.user "secret" $secret "key" $read.keys.user) }}
{{- else }}
- name: DATABASE_READ_USER
  value: $(DATABASE_USER)
{{- end }}
- name: ROLLCALL_DATABASE_READ_URI
  value: "host='{{ include "rollcall.standbyHost" . }}' port='{{ default "$(DATABASE_PORT)" (include "rollcall.scalar" $read.port) }}' dbname='$(DATABASE_NAME)' user='$(DATABASE_READ_USER)' sslmode={{ .Values.database.sslmode }} target_session_attrs=any load_balance_hosts=random"
- name: ROLLCALL_DATABASE_READ_PASSWORD_FILE
  value: /run/secrets/rollcall/database/read-password
{{- end }}
{{- end -}}

{{- define "rollcall.migrateEnv" -}}
{{- $migrate := .Values.database.migrate }}
{{- if $migrate.keys.uri }}
- name: ROLLCALL_DATABASE_MIGRATE_URI_FILE
  value: /run/secrets/rollcall/database/migrate-uri
{{- else }}
{{ include "rollcall.fromSecret" (dict "name" "DATABASE_MIGRATE_USER" "value" $migrate.user "secret" $migrate.existingSecret "key" $migrate.keys.user) }}
- name: ROLLCALL_DATABASE_MIGRATE_URI
  value: "host='{{ default "$(DATABASE_HOST)" $migrate.host }}' port='{{ default "$(DATABASE_PORT)" (include "rollcall.scalar" $migrate.port) }}' dbname='$(DATABASE_NAME)' user='$(DATABASE_MIGRATE_USER)' sslmode={{ .Values.database.sslmode }} target_session_attrs=read-write"
- name: ROLLCALL_DATABASE_MIGRATE_PASSWORD_FILE
  value: /run/secrets/rollcall/database/migrate-password
{{- end }}
{{- end -}}

{{/* Whether this use of the service migrates with the role migrate. Dict: root, use = api, read, migrate, doctor. */}}
{{- define "rollcall.usesMigrateRole" -}}
{{- $mode := .root.Values.migrations.mode -}}
{{- if and .root.Values.database.migrate.existingSecret (or (eq .use "migrate") (and (eq .use "api") (eq $mode "start"))) -}}1{{- end -}}
{{- end -}}

{{- define "rollcall.databaseEnv" -}}
{{- $root := .root }}
{{- if include "rollcall.databaseNeedsParts" $root }}
{{- include "rollcall.databaseEnv.shared" $root }}
{{- end }}
{{- if or (ne .use "read") $root.Values.read.askPrimary (not (or (include "rollcall.standbyHost" $root) $root.Values.database.read.keys.uri)) }}
{{- include "rollcall.primaryEnv" $root }}
{{- end }}
{{- include "rollcall.standbyEnv" $root }}
{{- if include "rollcall.usesMigrateRole" . }}
{{- include "rollcall.migrateEnv" $root }}
{{- end }}
{{- end -}}

{{/* Items of the projected volume: one Secret may serve several files. */}}
{{- define "rollcall.databaseFiles" -}}
{{- $root := .root }}
{{- $database := $root.Values.database }}
{{- $secret := include "rollcall.databaseSecret" $root }}
- secret:
    name: {{ $secret }}
    items:
      {{- if $database.keys.uri }}
      - {key: {{ $database.keys.uri }}, path: database/uri}
      {{- else }}
      - {key: {{ $database.keys.password }}, path: database/password}
      {{- end }}
{{- if $database.read.keys.uri }}
- secret:
    name: {{ default $secret $database.read.existingSecret }}
    items:
      - {key: {{ $database.read.keys.uri }}, path: database/read-uri}
{{- else if include "rollcall.standbyHost" $root }}
- secret:
    name: {{ default $secret $database.read.existingSecret }}
    items:
      - {key: {{ ternary $database.read.keys.password $database.keys.password (ne $database.read.existingSecret "") }}, path: database/read-password}
{{- end }}
{{- if include "rollcall.usesMigrateRole" . }}
- secret:
    name: {{ $database.migrate.existingSecret }}
    items:
      {{- if $database.migrate.keys.uri }}
      - {key: {{ $database.migrate.keys.uri }}, path: database/migrate-uri}
      {{- else }}
      - {key: {{ $database.migrate.keys.password }}, path: database/migrate-password}
      {{- end }}
{{- end }}
{{- if $database.ca.configMap }}
- configMap:
    name: {{ $database.ca.configMap }}
    items:
      - {key: {{ $database.ca.key }}, path: database/ca.crt}
{{- else if or $database.ca.existingSecret $root.Values.cnpg.enabled }}
- secret:
    name: {{ default (printf "%s-ca" (include "rollcall.databaseCluster" $root)) $database.ca.existingSecret }}
    items:
      - {key: {{ $database.ca.key }}, path: database/ca.crt}
{{- end }}
{{- end -}}
