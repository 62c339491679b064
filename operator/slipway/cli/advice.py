"""What to do about each reason that `kubectl slipway status` may show."""

from __future__ import annotations

ADVICE: dict[str, str] = {
    # references
    "InvalidSpec": ("The stored object does not fit the installed CRD: correct the fields that the message names and apply it again."),
    "ModelMissing": (
        "Apply the Model `{model}` in namespace {namespace}, or correct spec.model; to see them: kubectl -n {namespace} get slm"
    ),
    "VersionMissing": (
        "Push the version (kubectl slipway push PATH --model {model} --version {version} -n {namespace}), or "
        "set spec.version to one of: kubectl -n {namespace} get slmv"
    ),
    "VersionMismatch": (
        "ModelVersion {model}-{version} belongs to another model: correct spec.model and spec.version, or "
        "push the version under another name."
    ),
    "RuntimeNotFound": (
        "Set spec.format of the next version to one that the platform serves, or have the platform's team add"
        " its image to `runtimes` in the Helm values."
    ),
    "NameConflict": ("Delete or rename the object that the message names, or give the ModelDeployment another name."),
    # the prediction log
    "CaptureUnsupported": (
        "The version brings its own server, which writes no prediction log: take spec.capture out, or set its mode to Disabled."
    ),
    "CaptureUnavailable": (
        "The platform keeps no prediction log: take spec.capture out, set its mode to Disabled, or have the platform's team install the "
        "chart with predictionLog.enabled=true."
    ),
    "CaptureFailed": (
        "The model is not at fault; what sends its prediction log is: read why with kubectl -n {namespace} logs -l "
        "slipway.dev/deployment={name} -c capture --previous, and set spec.capture.mode to Disabled to serve without it meanwhile."
    ),
    # monitors
    "DeploymentMissing": (
        "Apply the ModelDeployment that the monitor's spec.deployment names, or correct it; to see them: kubectl -n {namespace} get slmd"
    ),
    "MonitoringUnavailable": (
        "Have the platform's team install the chart with predictionLog.enabled=true and monitoring.enabled=true; until then none runs."
    ),
    "CheckWarning": "Read the run's report: kubectl slipway monitor show NAME -n {namespace} names the checks and says where it is.",
    "CheckCritical": "Read the run's report: kubectl slipway monitor show NAME -n {namespace} names the checks and says where it is.",
    "NoData": (
        "The window has too few rows, or too few whose truth is known: wait, widen spec.windowHours, send the truth (kubectl slipway "
        "actuals), or lower minRows of the check."
    ),
    "CheckFailed": "One check could not be made, the others hold: kubectl slipway monitor show NAME -n {namespace} says which and why.",
    "RunsFailed": (
        "Look at the run's pod in the operator's namespace (kubectl get jobs -l slipway.dev/monitor=NAME): its log says why; out of "
        "memory: raise spec.resources.memory."
    ),
    "RunsOverdue": (
        "No run began: look at the CronJob that the monitor's status.cronJob names (kubectl describe cronjob), and whether a quota or a "
        "full cluster keeps its pods waiting."
    ),
    "NotRunYet": "Nothing to do; wait, or run it now: kubectl slipway monitor run NAME -n {namespace}",
    # the artifact
    "DigestMismatch": (
        "The stored bytes are not the ones that were registered, and nothing was loaded: find out who changed"
        " them, then push the model again as the next version."
    ),
    "ArtifactNotFound": ("Nothing is stored under the artifact's URI: upload it there again (the same bytes), or push the next version."),
    "ArtifactAccessDenied": (
        "The store refused the credentials: check the Secret in spec.artifact.secretName of ModelVersion "
        "{model}-{version} (keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL)."
    ),
    "ArtifactInvalid": "Replace symbolic links and odd file names by plain files, and push the next version.",
    "FetchFailed": (
        "The store did not answer; it is retried. Check that it is up, that AWS_ENDPOINT_URL in the "
        "artifact's Secret is right from inside the cluster, and that NetworkPolicies let pods reach it."
    ),
    "LoadFailed": (
        "The model does not load in its server: compare the version's format with the library that saved it, "
        "load it locally with that one, and push the next version."
    ),
    "SignatureMissing": (
        "A policy asks for signed bytes, and nothing was loaded: have somebody whose key the ApprovalPolicy lists push the same "
        "version again with kubectl slipway push PATH --model {model} --version {version} --sign KEY.pem -n {namespace}"
    ),
    "SignatureInvalid": (
        "The signature is by another key than the ApprovalPolicy lists (require.signedBy), or of other bytes, and nothing was loaded: "
        "find out who wrote it, then push the same version again with --sign and a key of the list."
    ),
    # the gate
    "AwaitingApproval": (
        "Ask those whose word is missing to look and approve: kubectl slipway diff {name} -n {namespace}. "
        "To take the change back, write what serves into the spec again, or delete it if nothing of it serves yet."
    ),
    "Rejected": (
        "Change the ModelDeployment to ask anew, or write what serves into the spec again; what was asked for: "
        "kubectl slipway diff {name} -n {namespace}"
    ),
    "PoliciesNotInEffect": (
        "Have the platform's team install the chart again, so that approvals are protected; then have the approvals that were given "
        "before given once more: kubectl slipway diff {name} -n {namespace}"
    ),
    # the pods
    "SecretMissing": ("Create the Secret or ConfigMap that the message names in namespace {namespace}, or take it out of the spec."),
    "ImagePullFailed": ("The node cannot pull the image: check its name and tag, and spec.pod.imagePullSecrets for a private registry."),
    "ContainerConfigInvalid": (
        "The node cannot create the container: correct what the message names (command, user, or an environment variable's source)."
    ),
    "CrashLoop": (
        "The server starts and ends again: read why with kubectl -n {namespace} logs -l "
        "slipway.dev/deployment={name} --all-containers --previous"
    ),
    "OOMKilled": "The pod used more memory than its limit: raise spec.resources.limits.memory (and requests).",
    "Unschedulable": ("No node takes the pod: lower spec.resources.requests, relax spec.pod.nodeSelector, add tolerations, or add a node."),
    "QuotaExceeded": (
        "Namespace {namespace} is at its quota: lower replicas or spec.resources, or have the quota raised "
        "(kubectl -n {namespace} describe quota)."
    ),
    "AdmissionRefused": ("A policy of the cluster refuses the object: change what the message names, or ask whoever owns the policy."),
    "ApiRefused": "The apiserver refused an object for the reason in the message: correct that part of the spec.",
    "ChildContested": (
        "Somebody else changes a child, or the status, back: stop the writer that the message names "
        "(kubectl -n {namespace} get deployment,service {name} --show-managed-fields -o yaml), or change the ModelDeployment instead."
    ),
    # the ledger
    "LedgerUnavailable": (
        "The audit ledger cannot be written, so nothing new starts; what serves goes on. Have the platform's team see to the store that "
        "the message names (kubectl -n slipway-system get pods -l app.kubernetes.io/name=slipway-ledger): it goes on by itself."
    ),
    "LedgerForked": (
        "The audit ledger was altered or replaced: have the platform's team run kubectl slipway audit verify, and find out who did it, "
        "before anything new is deployed."
    ),
    # time
    "ProgressDeadlineExceeded": (
        "The new pods do not become ready; the old ones serve on. Look at their troubles above; to go back, "
        "set spec.version to the version that serves."
    ),
    "NoReplicasAvailable": "Callers get no answer now: look at the pods above.",
    "Progressing": "Nothing to do: pods are starting. Watch with kubectl -n {namespace} get slmd {name} -w",
    "NotObserved": (
        "The operator has not looked at this yet. If that lasts for more than a minute, see that it runs: "
        "kubectl -n slipway-system get deployment slipway-operator"
    ),
}

FALLBACK = "Read the message, and kubectl -n {namespace} describe slmd {name}"


def advice(reason: str, *, name: str, namespace: str, model: str, version: str) -> str:
    """What to do about `reason` of ModelDeployment `name`."""
    template = ADVICE.get(reason, FALLBACK)
    return template.format(name=name, namespace=namespace, model=model, version=version)
