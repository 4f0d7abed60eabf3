{{- define "failover-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "failover-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "failover-operator.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "failover-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "failover-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "failover-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "failover-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "failover-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "failover-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name: needed, because serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* The namespace to watch; empty: all. A Role reaches no further than the release's own namespace. */ -}}
{{- define "failover-operator.watchNamespace" -}}
{{- if eq .Values.rbac.scope "Namespace" }}
{{- if and .Values.watchNamespace (ne .Values.watchNamespace .Release.Namespace) }}
{{- fail (printf "watchNamespace: with rbac.scope Namespace it must be empty or the release's namespace %s, not %s" .Release.Namespace .Values.watchNamespace) }}
{{- end }}
{{- .Release.Namespace }}
{{- else }}
{{- .Values.watchNamespace }}
{{- end }}
{{- end }}

{{- /* What the operator does to namespaced objects, and nothing else. */ -}}
{{- define "failover-operator.rules" -}}
# Groups: read them, report on them.
- apiGroups: [failover-operator.io]
  resources: [redundancygroups]
  verbs: [get, list, watch]
- apiGroups: [failover-operator.io]
  resources: [redundancygroups/status, failovers/status]
  verbs: [get, update, patch]
# Failovers: claim, record and prune them.
- apiGroups: [failover-operator.io]
  resources: [failovers]
  verbs: [get, list, watch, create, update, patch, delete]
# Owner references with blockOwnerDeletion, where that admission plugin is on.
- apiGroups: [failover-operator.io]
  resources: [redundancygroups/finalizers]
  verbs: [update]
# Members: observe, label by role, fence by deletion.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch, delete]
{{- if .Values.hooks.exec }}
# Hooks that run a command in a member's pod; newer servers ask for get as well.
- apiGroups: [""]
  resources: [pods/exec]
  verbs: [create, get]
{{- end }}
# Slot leases: assign them, watch them being renewed. The operator's own: tell its other replicas that it lives.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, watch, create, update]
# Fencing Jobs: run one, see whether it succeeded.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch{{ if .Values.fencing.jobs }}, create{{ end }}]
# Traffic: point Services at the primary, see where they lead.
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, update, patch]
- apiGroups: [""]
  resources: [endpoints]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch]
# Cold standbys: start them, and let them rest.
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [get, update]
{{- range .Values.rbac.scale }}
- apiGroups: [{{ .apiGroup | quote }}]
  resources: [{{ printf "%s/scale" .resource | quote }}]
  verbs: [get, update]
{{- end }}
# Drains: hold evictions of a primary, see whose budgets select it; in modes without failovers leave enough members.
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, update, patch, delete]
# Passwords of engines and tokens of agents, read by name.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "failover-operator.nodeRules" -}}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, list, watch{{ if .Values.fencing.nodeTaint }}, patch{{ end }}]
{{- end }}

{{/* Not empty: yes. */}}
{{- define "failover-operator.hasWebhook" -}}
{{- if ternary (eq .Values.rbac.scope "Cluster") (eq (toString .Values.evictionWebhook.enabled) "true") (eq (toString .Values.evictionWebhook.enabled) "") -}}
true
{{- end }}
{{- end }}
