#!/usr/bin/env bash
# Writes the go.mod and go.sum of every tool of the bare-machine cluster. Run it to move a version; the build reads only its output.
set -euo pipefail
cd "$(dirname "$0")"
kubernetes=v1.37.2 etcd=v3.6.16 coredns=v1.15.0 helm=v3.22.0 kubeconform=v0.8.0 localpath=v0.0.30 metrics=v0.9.0 versitygw=v1.8.0 kstatus=v0.37.2
prometheus=v0.316.0
prometheusoperator=v0.85.0
alertmanager=v0.31.1 # the newest whose module carries its web pages, without which it does not build

single() { # folder package@version...
  local folder="$1"; shift
  mkdir -p "$folder" && cd "$folder" && rm -f go.mod go.sum && go mod init "slipway.dev/tools/$folder"
  for package in "$@"; do go get -tool "$package"; done
  go mod tidy && cd ..
}

kubernetes() { # k8s.io/kubernetes replaces its staging modules by relative folders: name their published versions instead
  mkdir -p kubernetes && cd kubernetes && rm -f go.sum
  go mod download "k8s.io/kubernetes@$kubernetes"
  local upstream; upstream="$(go env GOMODCACHE)/k8s.io/kubernetes@$kubernetes/go.mod"
  {
    printf 'module slipway.dev/tools/kubernetes\n\n'; grep -E '^go ' "$upstream"
    printf '\ntool (\n'
    printf '\tk8s.io/kubernetes/cmd/%s\n' kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl
    printf ')\n\nrequire k8s.io/kubernetes %s\n\nreplace (\n' "$kubernetes"
    sed -nE "s#^\s+(k8s.io/\S+) => ./staging.*#\t\1 => \1 v0.${kubernetes#v1.}#p" "$upstream"
    printf ')\n'
  } > go.mod
  go mod tidy && cd ..
}

all=(kubernetes etcd coredns helm kubeconform local-path metrics-server versitygw kstatus prometheus prometheus-operator alertmanager)
for tool in "${@:-${all[@]}}"; do
  case "$tool" in
    kubernetes) kubernetes ;;
    etcd) single etcd "go.etcd.io/etcd/server/v3@$etcd" ;;
    coredns) single coredns "github.com/coredns/coredns@$coredns" ;;
    helm) single helm "helm.sh/helm/v3/cmd/helm@$helm" ;;
    kubeconform) single kubeconform "github.com/yannh/kubeconform/cmd/kubeconform@$kubeconform" ;;
    local-path) single local-path "github.com/rancher/local-path-provisioner@$localpath" ;;
    metrics-server) single metrics-server "sigs.k8s.io/metrics-server/cmd/metrics-server@$metrics" ;;
    kstatus) cd kstatus && rm -f go.mod go.sum && go mod init slipway.dev/tools/kstatus
      go get "sigs.k8s.io/cli-utils/pkg/kstatus/status@$kstatus" && go mod tidy && cd .. ;;
    versitygw) single versitygw "github.com/versity/versitygw/cmd/versitygw@$versitygw" ;;
    prometheus) single prometheus github.com/prometheus/prometheus/cmd/{prometheus,promtool}"@$prometheus" ;;
    prometheus-operator) single prometheus-operator github.com/prometheus-operator/prometheus-operator/cmd/{operator,prometheus-config-reloader}"@$prometheusoperator" ;;
    alertmanager) single alertmanager "github.com/prometheus/alertmanager/cmd/alertmanager@$alertmanager" ;;
  esac
done
