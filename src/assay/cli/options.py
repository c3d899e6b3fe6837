"""Options that several verbs share, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from msgspec.structs import replace

from assay import limits
from assay.cli.help import grouped
from assay.contents.options import ContentOptions
from assay.model.finding import UsageError
from assay.model.reading import Options
from assay.sources.model import OpenOptions
from assay.sources.open import uses_standard_input
from assay.trust.anchors import Trust

Command = TypeVar("Command", bound=Callable[..., Any])
Given = dict[str, Any]
"""The options of one call, by parameter name."""

_LONGEST_TIMEOUT = 24 * 60 * 60

ANSWER = "The answer"


def anchor_options(command: Command) -> Command:
    """What to trust."""
    return grouped(
        "What to trust",
        click.option(
            "--digest", multiple=True, metavar="DIGEST", help="Trust the image with this digest."
        ),
        click.option("--checksums", multiple=True, metavar="FILE", help="Trust a checksum file."),
        click.option(
            "--baseline", multiple=True, metavar="FILE", help="Trust the values of a baseline."
        ),
        click.option(
            "--key",
            multiple=True,
            metavar="FILE",
            help="Trust a key of any common kind, or secret:FILE.",
        ),
        click.option(
            "--ca",
            multiple=True,
            metavar="FILE",
            help="Trust signers that this authority certified: certificates in PEM or DER.",
        ),
        click.option(
            "--kernel",
            default="",
            metavar="FILE",
            help="Trust who may sign modules for this kernel image: the keys built into it.",
        ),
        click.option(
            "--identity",
            multiple=True,
            metavar="NAME",
            help="Trust only a signer of this name (glob: and regex: in front make it a pattern).",
        ),
        click.option(
            "--issuer",
            multiple=True,
            metavar="NAME",
            help="Who has to say that the signer is --identity; one for all, or one for each.",
        ),
        click.option(
            "--trusted-root",
            multiple=True,
            metavar="FILE",
            help="Check identities and log proofs with this Sigstore trusted root: a file, or tuf.",
        ),
        click.option(
            "--notation-config",
            default="",
            metavar="DIR",
            help="Trust whom notation trusts: its trust policies and trust stores in DIR.",
        ),
        click.option(
            "--notation-policy",
            default="",
            metavar="NAME",
            help="Use this policy of --notation-config (or --policy), whatever the image.",
        ),
    )(_demand_options(command))


def _demand_options(command: Command) -> Command:
    """What signatures and certificates have to be like."""
    return grouped(
        "What to ask of signatures",
        click.option(
            "--signature-algorithm",
            default="",
            metavar="NAME",
            help="Accept only such signatures by PEM keys: rsa-pss-sha256, ecdsa-sha384 ...",
        ),
        click.option(
            "--mac-algorithm",
            default="",
            metavar="NAME",
            help="What kind of MAC a secret makes: hmac-sha256, hmac-sha3-512, blake3 ...",
        ),
        click.option(
            "--ca-intermediate",
            multiple=True,
            metavar="FILE",
            help="Certificates that may stand between signer and --ca; they are not trusted.",
        ),
        click.option(
            "--eku",
            default="",
            metavar="NAME",
            help="What certificates below --ca have to be for: codeSigning, or an OID.",
        ),
        click.option(
            "--enforce-validity",
            is_flag=True,
            help="Refuse boot loaders, kernels and updates of UEFI variables with certificates that"
            " are not valid at the time, too, though firmware takes them.",
        ),
        click.option(
            "--crl",
            multiple=True,
            metavar="FILE",
            help="Believe no certificate that this revocation list names, nor one without a list.",
        ),
        click.option(
            "--revocation",
            type=click.Choice(["off", "soft", "hard"]),
            default=None,
            help="Ask whom certificates name if they were revoked; hard refuses where that is not"
            " told. Without this option only a trust policy asks.",
        ),
        click.option(
            "--revocation-cache",
            default="",
            metavar="DIR",
            help="Keep what was said about revocation in DIR, while it counts.",
        ),
        click.option(
            "--tsa-ca",
            multiple=True,
            metavar="FILE",
            help="Believe the times that time stamps of this authority prove.",
        ),
        click.option(
            "--identity-claim",
            multiple=True,
            metavar="NAME=VALUE",
            help="What the certificate of --identity has to say, too (source-repository-uri=...).",
        ),
        click.option(
            "--witness-policy",
            default="",
            metavar="FILE",
            help="Believe a log of --trusted-root only with these witnesses (C2SP tlog-policy).",
        ),
        click.option(
            "--docker-reference",
            default="",
            metavar="NAME",
            help="The name that an image has to have been signed for (docker-reference).",
        ),
        click.option(
            "--annotation",
            multiple=True,
            metavar="NAME=VALUE",
            help="What the signer of an image has to have annotated (cosign sign -a).",
        ),
        click.option(
            "--ssh-namespace",
            default="file",
            show_default=True,
            metavar="NAME",
            help="What SSH signatures have to be made for (git signs for git).",
        ),
        click.option(
            "--ssh-revoked",
            multiple=True,
            metavar="FILE",
            help="Believe none of these SSH keys: a KRL of ssh-keygen -k, or public keys.",
        ),
    )(command)


def evidence_options(command: Command) -> Command:
    """Material beside the image, which counts only once an anchor vouches for it."""
    return grouped(
        "Signatures and statements that are not beside the image",
        click.option(
            "--signature", multiple=True, metavar="FILE", help="A detached signature file."
        ),
        click.option(
            "--attestation",
            multiple=True,
            metavar="FILE",
            help="A statement about the image (in-toto, in DSSE); several stand one a line.",
        ),
        click.option(
            "--lookaside",
            multiple=True,
            metavar="PLACE",
            help="Where signatures are kept apart from a registry: a directory, or a URL.",
        ),
        click.option(
            "--registries-d",
            default="",
            metavar="DIR",
            help="Configuration that says where they are kept (/etc/containers/registries.d).",
        ),
        click.option(
            "--signature-repository",
            multiple=True,
            metavar="NAME",
            help="Another repository that holds signatures, too (cosign: COSIGN_REPOSITORY).",
        ),
        click.option(
            "--known-as",
            default="",
            metavar="NAME",
            help="The name that the image is used by, if it is opened by another (docker://...).",
        ),
    )(command)


def bundle_options(command: Command) -> Command:
    """An offline bundle, and which one it has to be."""
    return grouped(
        "An offline bundle",
        click.option(
            "--bundle",
            default="",
            metavar="FILE",
            help="Take what speaks of the image from this file, made by assay bundle.",
        ),
        click.option(
            "--bundle-digest",
            default="",
            metavar="DIGEST",
            help="Trust what the bundle names if the file has this SHA-256.",
        ),
        click.option(
            "--bundle-key",
            multiple=True,
            metavar="FILE",
            help="Trust what the bundle names if this key signed the file (FILE.minisig ...).",
        ),
    )(command)


def content_options(command: Command) -> Command:
    """What is asked of the files in container images."""
    return grouped(
        "What the image holds",
        click.option(
            "--sbom",
            multiple=True,
            metavar="FILE",
            help="Compare what this SBOM lists with what the layers hold.",
        ),
        click.option(
            "--require-sbom",
            is_flag=True,
            help="Ask for an SBOM signed by someone you trust, and compare it.",
        ),
        click.option(
            "--sbom-coverage",
            type=click.FloatRange(0, 100),
            default=None,
            metavar="PERCENT",
            help="Ask for so many of the files to be accounted for by SBOMs.",
        ),
    )(command)


def image_options(command: Command) -> Command:
    """How to read and reach images."""
    return grouped(
        "How to read the image",
        click.option(
            "--platform", default="", metavar="OS/ARCH", help="Only this platform of an image."
        ),
        click.option(
            "--type", "type_", default="", metavar="FORMAT", help="Force the image's format."
        ),
    )(network_options(command))


def network_options(command: Command) -> Command:
    """How to reach images that are elsewhere."""
    return grouped(
        "How to reach it",
        click.option("--offline", is_flag=True, help="Make no network connection at all."),
        click.option(
            "--plain-http", is_flag=True, help="Speak to servers without TLS (not only to my own)."
        ),
        click.option(
            "--tls-ca",
            default="",
            metavar="FILE",
            help="Accept servers of this authority as well (PEM).",
        ),
        click.option(
            "--tls-cert",
            default="",
            metavar="FILE",
            help="Show this certificate to servers that ask (PEM).",
        ),
        click.option("--tls-key", default="", metavar="FILE", help="The key of --tls-cert (PEM)."),
        click.option(
            "--auth-file", default="", metavar="FILE", help="Credentials for registries (JSON)."
        ),
        click.option(
            "--timeout",
            type=float,
            default=30.0,
            show_default=True,
            metavar="SECONDS",
            help="How long a server may keep silent.",
        ),
        click.option(
            "--no-cache",
            is_flag=True,
            envvar="ASSAY_NO_CACHE",
            help="Fetch and measure again what an earlier run knows of a registry's blobs.",
        ),
    )(command)


def output_options(command: Command) -> Command:
    """How to say it."""
    return grouped(
        ANSWER,
        click.option(
            "--format",
            "format_",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="The form of the answer on standard output.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Answer by the exit status alone."),
        click.option(
            "-v",
            "--verbose",
            count=True,
            help="Show each path of trust, each key tried, and all components.",
        ),
    )(command)


def time_option(command: Command) -> Command:
    """The effective time."""
    return grouped(
        ANSWER,
        click.option(
            "--at", default="", metavar="TIME", help="Judge validity at this time (RFC 3339)."
        ),
    )(command)


def verity_options(command: Command) -> Command:
    """Hash trees of dm-verity."""
    return grouped(
        "Hash trees (dm-verity)",
        click.option(
            "--verity-root", default="", metavar="HASH", help="Trust the tree with this root hash."
        ),
        click.option(
            "--verity-tree", default="", metavar="FILE", help="The file that the tree is in."
        ),
        click.option(
            "--verity-offset",
            type=click.IntRange(0),
            default=None,
            metavar="BYTES",
            help="Where the superblock (or a tree without one) begins.",
        ),
        click.option(
            "--verity-salt", default="", metavar="HEX", help="The salt; - is for none at all."
        ),
        click.option(
            "--verity-parameter",
            multiple=True,
            metavar="NAME=VALUE",
            help="superblock=no, algorithm, hash-type, data-block-size, hash-block-size or"
            " data-blocks.",
        ),
    )(fs_verity_options(command))


def fs_verity_parameters() -> list[Callable[[Command], Command]]:
    """How an fs-verity digest is made."""
    return [
        click.option(
            "--fs-verity-block-size",
            type=int,
            default=4096,
            show_default=True,
            metavar="BYTES",
            help="The blocks that it is made with.",
        ),
        click.option(
            "--fs-verity-salt", default="", metavar="HEX", help="Its salt, if it has one."
        ),
    ]


def fs_verity_options(command: Command) -> Command:
    """fs-verity digests."""
    return grouped(
        "Files with fs-verity",
        click.option(
            "--fs-verity",
            multiple=True,
            metavar="DIGEST",
            help="Trust the file with this fs-verity digest.",
        ),
        click.option(
            "--fs-verity-signature",
            multiple=True,
            metavar="FILE",
            help="A signature of its fs-verity digest (fsverity sign).",
        ),
        click.option(
            "--fs-verity-algorithm",
            type=click.Choice(["sha256", "sha512"]),
            default="sha256",
            show_default=True,
            help="That of the digest that is signed.",
        ),
        *fs_verity_parameters(),
    )(command)


def check_names(images: Sequence[str]) -> None:
    """Raises UsageError where standard input is named twice: its bytes come once."""
    if sum(uses_standard_input(image) for image in images) > 1:
        raise UsageError("standard input can only be read once; name it once")


def trust_from(given: Given) -> Trust:
    """The anchors that were given. Raises UsageError when one cannot be read."""
    trust = Trust(demands=_demands_from(given))
    for text in given["digest"]:
        trust.add_digest(text)
    for path in given["checksums"]:
        trust.add_checksums(path)
    for path in given["baseline"]:
        trust.add_baseline(path)
    if "verity_root" in given:
        from assay.cli import verity_options

        verity_options.add_anchors(trust, given)
    for text in given.get("pcr", ()):
        number, _, value = text.partition("=")
        if not (number.isascii() and number.isdigit() and len(number) < 3):
            raise UsageError(f"--pcr {text[:160]}: expected NUMBER=ALGORITHM:HEX")
        trust.add_pcr(int(number), value)
    for path in given["key"]:
        trust.add_key(path)
    for path in given["ca"]:
        trust.add_ca(path)
    if given.get("kernel"):
        trust.add_kernel(given["kernel"])
    for path in given["ca_intermediate"]:
        trust.add_ca_intermediate(path)
    for path in given["crl"]:
        trust.add_crl(path)
    if given["revocation"] and not any(
        given.get(each) for each in ("ca", "notation_config", "policy")
    ):
        raise UsageError("--revocation is about certificates below a --ca; give one")
    if given["revocation"] or given["notation_config"] or given["revocation_cache"]:
        from assay.trust.revocation.cache import default_folder

        cache = given["revocation_cache"] or default_folder()
        trust.ask_revocation(given["revocation"] or "by-policy", cache)
    for path in given["tsa_ca"]:
        trust.add_tsa_ca(path)
    for path in given["ssh_revoked"]:
        trust.add_ssh_revoked(path)
    for path in given.get("pcr_key", ()):
        trust.add_pcr_key(path)
    for name in given["trusted_root"]:
        _add_trusted_root(trust, name, given)
    if given["witness_policy"]:
        if not given["trusted_root"]:
            raise UsageError("--witness-policy says more about a --trusted-root; give one")
        trust.add_witness_policy(given["witness_policy"])
    if given["notation_config"]:
        trust.add_notation_config(given["notation_config"], given["notation_policy"])
    elif given["notation_policy"] and not given.get("policy"):
        raise UsageError("--notation-policy names a policy of --notation-config, or of --policy")
    if given["docker_reference"]:
        trust.ask_docker_reference(given["docker_reference"])
    for text in given["annotation"]:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--annotation {text}: expected NAME=VALUE")
        trust.ask_annotation(name, value)
    for name, issuer, claims in identities_from(given):
        trust.add_identity(name, issuer, claims)
    return trust


def identities_from(given: Given) -> list[tuple[str, str, dict[str, str]]]:
    """Each identity with its issuer and claims. Raises UsageError."""
    issuers = given["issuer"]
    if len(issuers) > 1 and len(issuers) != len(given["identity"]):
        raise UsageError("--issuer: give one for all identities, or one for each, in their order")
    if issuers and not given["identity"]:
        raise UsageError("--issuer says who vouches for an --identity; give one")
    claims = _claims_from(given)
    return [
        (name, issuers[min(number, len(issuers) - 1)] if issuers else "", claims)
        for number, name in enumerate(given["identity"])
    ]


def _add_trusted_root(trust: Trust, name: str, given: Given) -> None:
    from assay.trust.tuf import instances

    if instances.is_name(name):
        at = time_from(given) or datetime.now(UTC)
        network = open_options_from(given)
        if given.get("bundle"):
            network = replace(network, offline=True)
        trust.add_tuf_root(name, network, at)
    else:
        trust.add_trusted_root(name)


def _demands_from(given: Given) -> dict[str, str]:
    demands = {"ssh-namespace": given["ssh_namespace"]}
    if given["eku"]:
        demands["eku"] = given["eku"]
    if given["enforce_validity"]:
        demands["enforce-validity"] = "yes"
    if name := given["signature_algorithm"]:
        from assay.crypto.algorithms import NAMED

        if name not in NAMED:
            known = ", ".join(NAMED)
            raise UsageError(f"--signature-algorithm {name}: not known; there are {known}")
        demands["signature-algorithm"] = name
    if name := given["mac_algorithm"]:
        from assay.signatures import mac

        if mac.digest_of(name) not in mac.ALGORITHMS:
            known = ", ".join(mac.ALGORITHMS)
            raise UsageError(f"--mac-algorithm {name}: not known; HMAC with or keyed: {known}")
        demands[mac.DEMAND] = name
    return demands


def _claims_from(given: Given) -> dict[str, str]:
    claims: dict[str, str] = {}
    if given["identity_claim"]:
        from assay.sigstore.fulcio import CLAIM_NAMES
    for text in given["identity_claim"]:
        name, equals, value = text.partition("=")
        if not equals or name not in CLAIM_NAMES or name in claims:
            why = "given twice" if name in claims else "expected NAME=VALUE"
            raise UsageError(f"--identity-claim {text}: {why}; names are {', '.join(CLAIM_NAMES)}")
        claims[name] = value
    if claims and not given["identity"]:
        raise UsageError("--identity-claim says more about an --identity; give one")
    return claims


def open_options_from(given: Given) -> OpenOptions:
    """How images may be reached. Raises UsageError for a time that is none."""
    if not 0 < given["timeout"] <= _LONGEST_TIMEOUT:
        raise UsageError(f"--timeout: not a number of seconds from 0 to {_LONGEST_TIMEOUT}")
    return OpenOptions(
        offline=given["offline"],
        platform=given.get("platform", ""),
        plain_http=given["plain_http"],
        ca_file=given["tls_ca"],
        client_certificate=given["tls_cert"],
        client_key=given["tls_key"],
        auth_file=given["auth_file"],
        timeout=given["timeout"],
        lookaside=tuple(given.get("lookaside", ())),
        signature_repositories=tuple(given.get("signature_repository", ())),
        registries_d=given.get("registries_d", ""),
        known_as=given.get("known_as", ""),
        keep_facts=not given.get("no_cache", True),
    )


def format_options_from(given: Given) -> Options:
    """How images are to be read."""
    return Options(
        forced_type=given["type_"],
        platform=given["platform"],
        boot_phases=_boot_phases(given.get("pcr_phase", ())),
    )


def _boot_phases(given: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Paths of boot phases. Raises UsageError."""
    paths = tuple(tuple(text.split(":")) if text else () for text in given)
    if len(paths) > limits.PCR_PHASE_PATHS or any("" in path for path in paths):
        raise UsageError("--pcr-phase: expected PHASE:PHASE:..., such as enter-initrd:leave-initrd")
    return paths


def content_options_from(given: Given) -> ContentOptions:
    """What is asked of the contents. Raises UsageError for a share that is none."""
    share = given["sbom_coverage"]
    if share is not None and not 0 <= share <= 100:  # "nan" is a number to click
        raise UsageError("--sbom-coverage: not a share from 0 to 100")
    return ContentOptions(
        sboms=tuple(given["sbom"]),
        required=given["require_sbom"],
        coverage=share / 100 if share is not None else None,
    )


def time_from(given: Given) -> datetime | None:
    """The effective time, or None for now. Raises UsageError when it is not a time."""
    text: str = given.get("at", "")
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--at {text}: not an RFC 3339 time such as 2026-11-24T12:00:00Z"
        ) from error
