"""ModelVersion: immutable bytes with a digest, and where they come from."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from slipway.api.conditions import Conditions
from slipway.api.kind import Kind, PrinterColumn
from slipway.api.types import ApiModel, Digest, Name, ObjectMeta, ObjectName, Rule, VersionName

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
_URI = r"^(s3://[!-.0-~]+/[!-~]+|https://[!-.0-~]+/[!-~]*|pvc://[a-z0-9][-a-z0-9.]*/[!-~]+)$"
Argument = Annotated[str, StringConstraints(max_length=4096)]


class Format(ApiModel):
    """The framework that made the model: chooses the model server."""

    name: Annotated[
        Literal["sklearn", "custom"],
        Field(description="`sklearn`: served by Slipway's scikit-learn server. `custom`: your container, speaking v2."),
    ]
    version: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){0,2}$", min_length=1, max_length=16),
            Field(description="Its version, such as `1.9`: picks the matching server image. Left out, the platform's first."),
        ]
        | None
    ) = None


class Artifact(ApiModel):
    """The model's bytes."""

    uri: Annotated[
        str,
        StringConstraints(pattern=_URI, min_length=8, max_length=1024),
        Field(description="Where the bytes are: `s3://BUCKET/KEY` (a folder ends in `/`), `https://HOST/FILE` or `pvc://CLAIM/PATH`."),
    ]
    digest: Annotated[
        Digest,
        Field(description="Of the canonical tree (docs/artifact-digest.md), checked before loading. `kubectl slipway push` computes it."),
    ]
    secret_name: (
        Annotated[
            ObjectName,
            Field(description="A Secret of this namespace with the store's credentials; only the fetching container sees it."),
        ]
        | None
    ) = None


class ReferenceRows(ApiModel):
    """Rows that the version was validated on: what monitors compare with."""

    uri: Annotated[
        str,
        StringConstraints(pattern=r"^s3://[!-.0-~]+/[!-~]*[!-.0-~]$", min_length=8, max_length=1024),
        Field(description="A Parquet file, `s3://BUCKET/KEY`, in the platform's object store: one column a feature and output."),
    ]
    digest: Annotated[Digest, Field(description="The SHA-256 of the file.")]


class Container(ApiModel):
    """Your own server, for format `custom`."""

    image: Annotated[
        str, StringConstraints(pattern=r"^[!-~]+$", min_length=1, max_length=512), Field(description="The image, best by digest.")
    ]
    port: Annotated[int, Field(ge=1, le=65535, description="Where it answers v2 REST.")] = 8080
    grpc_port: Annotated[int, Field(ge=1, le=65535, description="Where it answers v2 gRPC, if it does.")] | None = None
    command: Annotated[list[Argument], Field(max_length=64, description="Replaces the image's entrypoint.")] = []
    args: Annotated[list[Argument], Field(max_length=64, description="Replaces the image's arguments.")] = []

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.grpcPort) || self.grpcPort != self.port",
            message="grpcPort must differ from port: REST and gRPC need a port each",
            holds=lambda self: self.grpc_port != self.port,
        ),
    )


class TrainingData(ApiModel):
    """The data the version was trained on."""

    uri: Annotated[Text, Field(description="Where the training data is.")]
    digest: Annotated[Digest, Field(description="Its digest, where known.")] | None = None


class Code(ApiModel):
    """The code the version was trained by."""

    repository: Annotated[Text, Field(description="The repository's address.")]
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$", max_length=64), Field(description="The commit.")]
    dirty: Annotated[bool, Field(description="True when the work tree had changes beside the commit.")] = False


class Lineage(ApiModel):
    """Where the version comes from; shown by `kubectl slipway status` and kept for ever, as the spec is immutable."""

    training_data: Annotated[TrainingData | None, Field(description="The data it was trained on.")] = None
    code: Annotated[Code | None, Field(description="The code it was trained by.")] = None
    trained_at: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", max_length=20),
            Field(description="When it was trained, in UTC, such as `2026-11-23T08:00:00Z`."),
        ]
        | None
    ) = None
    environment: Annotated[
        dict[str, Annotated[str, StringConstraints(max_length=64)]],
        Field(max_length=64, description="Package versions of the training environment."),
    ] = {}
    metrics: Annotated[
        dict[str, Annotated[str, StringConstraints(pattern=r"^-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$", max_length=32)]],
        Field(max_length=64, description='Offline metrics, as decimal strings: `auc: "0.91"`.'),
    ] = {}


class ModelVersionSpec(ApiModel):
    """One immutable version of a model."""

    model: Annotated[Name, Field(description="The Model this is a version of.")]
    version: Annotated[VersionName, Field(description='The version, a string: `"3"`.')]
    format: Annotated[Format, Field(description="The framework that made it.")]
    artifact: Annotated[Artifact | None, Field(description="The model's bytes. Required unless the format is `custom`.")] = None
    container: Annotated[Container | None, Field(description="Your own server. Required for format `custom`, and only there.")] = None
    lineage: Annotated[Lineage | None, Field(description="Where it comes from.")] = None
    baseline: Annotated[
        ReferenceRows | None,
        Field(description="Reference rows, for monitors (`kubectl slipway push --baseline`). Nothing that serves changes by them."),
    ] = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self == oldSelf",
            message="a ModelVersion is immutable: create the next version instead",
            holds=None,
        ),
        Rule(
            cel="(self.format.name == 'custom') == has(self.container)",
            message="container belongs to format custom: write container.image for it, and leave container out for any other format",
            holds=lambda self: (self.format.name == "custom") == (self.container is not None),
        ),
        Rule(
            cel="self.format.name == 'custom' || has(self.artifact)",
            message="artifact is required for this format: write artifact.uri and artifact.digest, or use `kubectl slipway push`",
            holds=lambda self: self.format.name == "custom" or self.artifact is not None,
        ),
    )


class ModelVersionStatus(ApiModel):
    """What Slipway sees of the version."""

    observed_generation: Annotated[int, Field(ge=-1, description="The generation this status speaks about; -1 before the first.")] = -1
    deployments: Annotated[int, Field(ge=0, description="How many ModelDeployments ask for this version.")] = 0
    conditions: Conditions = []


class ModelVersion(ApiModel):
    """One immutable version of a model: its bytes, their digest, and where they come from."""

    KIND: ClassVar[Kind] = Kind(
        name="ModelVersion",
        plural="modelversions",
        short_name="slmv",
        columns=(
            PrinterColumn("Model", ".spec.model"),
            PrinterColumn("Version", ".spec.version"),
            PrinterColumn("Format", ".spec.format.name"),
            PrinterColumn("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            PrinterColumn("Deployments", ".status.deployments", type="integer"),
            PrinterColumn("Digest", ".spec.artifact.digest", wide=True),
            PrinterColumn("URI", ".spec.artifact.uri", wide=True),
            PrinterColumn("Age", ".metadata.creationTimestamp", type="date"),
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.metadata.name == self.spec.model + '-' + self.spec.version",
            message="metadata.name must be spec.model and spec.version joined by '-'",
            message_expression="'metadata.name must be ' + self.spec.model + '-' + self.spec.version + ' (model-version)'",
            holds=lambda self: self.metadata.name == f"{self.spec.model}-{self.spec.version}",
        ),
    )

    metadata: ObjectMeta
    spec: Annotated[ModelVersionSpec, Field(description="The version; immutable.")]
    status: Annotated[ModelVersionStatus, Field(description="What Slipway sees of the version.")] = ModelVersionStatus()
