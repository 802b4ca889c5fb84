{{/* A Deployment of the service, its Service, its autoscaler and its disruption budget. */}}

{{/* Dict: root, use = component (api or read), name, replicas, autoscaling, resources, ports, role. */}}
{{- define "rollcall.deployment" -}}
{{- $root := .root -}}
{{- $drain := index $root.Values.config "shutdown-drain" -}}
{{- $drain = ternary 30 $drain (kindIs "invalid" $drain) -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels:
    {{- include "rollcall.labels" . | nindent 4 }}
spec:
  {{- if not .autoscaling.enabled }}
  replicas: {{ int .replicas }}
  {{- end }}
  minReadySeconds: 5
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "rollcall.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "rollcall.labels" . | nindent 8 }}
        {{- with $root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        {{- include "rollcall.annotations" . | nindent 8 }}
    spec:
      serviceAccountName: {{ include "rollcall.serviceAccount" $root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      # Time for balancers to notice, for requests under way, and for the last batches.
      terminationGracePeriodSeconds: {{ add $root.Values.preStopSeconds (ceil $drain) 10 }}
      securityContext:
        {{- include "rollcall.podSecurity" $root | nindent 8 }}
      {{- with include "rollcall.scheduling" . }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with $root.Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        {{- if $root.Values.topologySpreadConstraints }}
        {{- toYaml $root.Values.topologySpreadConstraints | nindent 8 }}
        {{- else }}
        {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ $key }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "rollcall.selector" $ | nindent 14 }}
        {{- end }}
        {{- end }}
      containers:
        - name: rollcall
          image: {{ include "rollcall.image" (dict "root" $root "image" $root.Values.image) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [serve, --role={{ .role }}]
          env:
            {{- include "rollcall.environment" . | nindent 12 }}
          ports:
            {{- range $name, $port := .ports }}
            - {name: {{ $name }}, containerPort: {{ $port }}, protocol: TCP}
            {{- end }}
          # Live as soon as it listens, ready as soon as the schema is there: a database that is away restarts nobody.
          startupProbe:
            httpGet: {path: /livez, port: ops}
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /livez, port: ops}
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /readyz, port: ops}
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          lifecycle:
            preStop:
              sleep: {seconds: {{ int $root.Values.preStopSeconds }}}
          securityContext:
            {{- include "rollcall.containerSecurity" . | nindent 12 }}
          resources:
            {{- toYaml .resources | nindent 12 }}
          volumeMounts:
            {{- include "rollcall.mounts" . | nindent 12 }}
      volumes:
        {{- include "rollcall.volumes" . | trim | nindent 8 }}
{{- if .autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .name }}
  labels:
    {{- include "rollcall.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .name }}}
  minReplicas: {{ int .autoscaling.minReplicas }}
  maxReplicas: {{ int .autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ int .autoscaling.targetCPUUtilizationPercentage }}}
{{- end }}
{{- if $root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  labels:
    {{- include "rollcall.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ int $root.Values.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "rollcall.selector" . | nindent 6 }}
{{- end }}
{{- end -}}
