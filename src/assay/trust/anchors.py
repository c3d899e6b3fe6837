"""From what the user gives on the command line (or to the API) to anchors and keys."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from assay import canonical_json, limits, plugins
from assay.evidence.model import GivenFile, PcrValue, read_bounded
from assay.formats.verity.parameters import Given as VerityGiven
from assay.model.anchor import Anchor
from assay.model.claim import FsVerityIs
from assay.model.demand import Demand
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.identity import IDENTITY_SCHEME, IdentityPattern, NamePattern
from assay.model.signature import Key
from assay.trust import secrets
from assay.trust.requirements import Requirement
from assay.x509 import key_schemes

if TYPE_CHECKING:
    from datetime import datetime

    from assay.sources.model import OpenOptions
    from assay.trust.containers.identity import SignedName
    from assay.trust.notation import NotationConfig
    from assay.trust.revocation.settings import Revocation
    from assay.x509.certificate import Certificate

_BARE_KEY = r"(?s)RW[A-Za-z0-9+/]{54}|(ssh|sk|ecdsa)-\S+ AAAA\S+.*|-----BEGIN .*"
"""A minisign, SSH or PEM key in place of a file's name."""


class Trust(Struct):
    """What to trust in one run: anchors, with their keys, digests and documents.

    Build it with the ``add_*`` methods; each returns the same object, and raises UsageError when
    what it is given cannot be read or makes no sense.
    """

    anchors: list[Anchor] = field(default_factory=list)
    digests: dict[str, Digest] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    documents: list[GivenFile] = field(default_factory=list)
    """Documents whose word counts, such as checksum files."""
    verity: dict[str, VerityGiven] = field(default_factory=dict)
    """Root hashes of hash trees (dm-verity), by anchor."""
    fs_verity: dict[str, FsVerityIs] = field(default_factory=dict)
    """fs-verity digests, by anchor."""
    pcrs: dict[str, PcrValue] = field(default_factory=dict)
    """Values of PCRs that event logs have to replay to, by anchor."""
    requirements: list[Requirement] = field(default_factory=list)
    """What a policy asks for; each has keys of its own."""
    policy_demands: list[Demand] = field(default_factory=list)
    """How many of them, and which together."""
    signed_name: SignedName | None = None
    """The name that payloads of simple signing have to have been made for."""
    annotations: tuple[tuple[str, str], ...] = ()
    """What signers have to have annotated (name, value)."""
    notation: list[NotationConfig] = field(default_factory=list)
    """Trust policies, of which the image decides which one counts (`for_image`)."""
    revocation: Revocation | None = None
    """Whom to ask about revocation; None leaves it to trust policies (`ask_revocation`)."""
    demands: dict[str, str] = field(default_factory=dict)
    """What is asked of signatures (`Key.demands`); set it before keys are added."""
    kernel: str = ""
    """The release of the kernel that modules are for (`add_kernel`)."""
    held: dict[str, bytes] = field(default_factory=dict)
    """Files that are at hand and on no disk (those of an offline bundle), by name."""
    given: dict[str, str] = field(default_factory=dict)
    """Anchor -> what it was made of: a file's name, an identity. Secrets are not in it."""
    material: list[tuple[str, str]] = field(default_factory=list)
    """What was read: the option that it was given by, and the SHA-256 of the content."""
    findings: list[Finding] = field(default_factory=list)
    """What is known of the material itself. An error among them ends every check with it: without
    what was asked for, nothing could be decided."""

    @property
    def all_keys(self) -> list[Key]:
        """The keys that signatures have to be measured for, whichever they count for."""
        return [*self.keys, *(key for one in self.requirements for key in one.keys)]

    @property
    def all_anchors(self) -> list[Anchor]:
        """Every anchor, those of requirements included."""
        return [*self.anchors, *(one.anchor for one in self.requirements)]

    @property
    def lent(self) -> list[Key]:
        """Material that is no anchor: trusted roots, revocation lists, and the like."""
        return [key for key in self.keys if not key.anchor]

    def _add(self, kind: str, description: str, given: str = "") -> str:
        number = sum(1 for anchor in self.anchors if anchor.kind == kind)
        anchor = Anchor(f"{kind}:{number + 1}", kind, description)
        self.anchors.append(anchor)
        if given:
            self.given[anchor.id] = given
        return anchor.id

    def set_operator(self, name: str, given: str | os.PathLike[str]) -> Trust:
        """Put all signers of an anchor down to one operator, so that they count as one signer.
        ``given`` is what was given to `add_key`, `add_ca` or `add_identity`. Raises UsageError
        where nothing was."""
        meant = {anchor for anchor, text in self.given.items() if text == os.fspath(given)}
        if not meant:
            raise UsageError(f"--operator {name}: no key, authority or identity {given} was given")
        self.anchors = [
            replace(anchor, operator=name) if anchor.id in meant else anchor
            for anchor in self.anchors
        ]
        return self

    def _read(self, path: str | os.PathLike[str], limit: int, option: str) -> bytes:
        """A file that was given by name. Raises UsageError."""
        held = self.held.get(os.fspath(path))
        data = read_bounded(Path(path), limit, option) if held is None else held
        self._note(option, data)
        return data

    def _note(self, option: str, data: bytes) -> None:
        self.material.append((option, sha256(data).hexdigest()))

    def digest(self) -> str:
        """``sha256:`` and a digest of what is trusted: the anchors, as they are described, and the
        content of all files that were read for them. No secret is in it."""
        anchors = sorted([a.kind, a.description, a.definition] for a in self.all_anchors)
        what = {"anchors": anchors, "material": sorted(map(list, self.material))}
        return f"sha256:{sha256(canonical_json.encode(what)).hexdigest()}"

    def _given(self, option: str, path: str | os.PathLike[str], anchor: str) -> GivenFile:
        held = self.held.get(os.fspath(path))
        if held is None:
            return GivenFile(option, Path(path), anchor)
        return GivenFile.holding(option, Path(path), held, anchor)

    def _certificates(self, path: str | os.PathLike[str], option: str) -> tuple[Certificate, ...]:
        from assay.x509.load import read_certificates

        data = self._read(path, limits.KEY_FILE_SIZE, option)
        try:
            return tuple(read_certificates(data))
        except AssayError as error:
            raise UsageError(f"{option} {path}: {error.finding.detail}") from error

    def add_digest(self, text: str, description: str = "") -> Trust:
        """Trust the image with this digest (``algorithm:hex``)."""
        try:
            digest = Digest.parse(text.strip())
        except ValueError as error:
            raise UsageError(f"--digest: {error}") from error
        if not digest.binding:
            raise UsageError(
                f"--digest: {digest.algorithm} cannot show who an image is from; use SHA-256"
            )
        self.digests[self._add("digest", description or f"digest {digest}")] = digest
        return self

    def add_verity_root(self, root: str | VerityGiven, **more: Any) -> Trust:
        """Trust the image whose hash tree (dm-verity) has this root hash. ``more`` says where the
        tree is and how it is made (`given_root`): ``tree=FILE, offset=BYTES, data_blocks=N``..."""
        from assay.trust.verity import given_root

        if self.verity:
            raise UsageError("--verity-root: one hash tree is over an image; give one root hash")
        given = given_root(root, **more) if isinstance(root, str) else root
        shown = given.root.hex()
        self.verity[self._add("verity-root", f"verity root hash {shown}")] = given
        return self

    def add_pcr(self, number: int, text: str) -> Trust:
        """Trust the event log that replays to this value (``algorithm:hex``) of a PCR. Every PCR
        that is given has to have the value given for it."""
        try:
            digest = Digest.parse(text.strip())
        except ValueError as error:
            raise UsageError(f"--pcr {number}: {error}") from error
        if not digest.binding:
            raise UsageError(
                f"--pcr {number}: {digest.algorithm} cannot show what a machine measured; give the"
                " value in the SHA-256 bank"
            )
        self.pcrs[self._add("pcr", f"PCR {number} {digest}")] = PcrValue(number, digest)
        return self

    def add_fs_verity(self, text: str, block_size: int = 4096, salt: bytes = b"") -> Trust:
        """Trust the file with this fs-verity digest (``algorithm:hex``), made with blocks of this
        many bytes and this salt."""
        from assay.trust.verity import fs_verity_request

        try:
            digest = Digest.parse(text.strip())
        except ValueError as error:
            raise UsageError(f"--fs-verity: {error}") from error
        request = fs_verity_request(digest.algorithm, block_size, salt)
        anchor = self._add("fs-verity", f"fs-verity digest {digest}")
        self.fs_verity[anchor] = FsVerityIs(request, digest.value)
        return self

    def add_checksums(self, path: str | os.PathLike[str]) -> Trust:
        """Trust what a checksum file says."""
        anchor = self._add("checksums", f"checksum file {path}")
        self.documents.append(self._given("checksums", path, anchor))
        return self

    def add_baseline(self, path: str | os.PathLike[str]) -> Trust:
        """Trust the reference values of a baseline."""
        anchor = self._add("baseline", f"baseline {path}")
        self.documents.append(self._given("baseline", path, anchor))
        return self

    def add_key(self, name: str | os.PathLike[str]) -> Trust:
        """Trust the holder of a key: a file, whose kind is recognised by its content, or a secret
        (see `add_secret`)."""
        name = os.fspath(name)
        if secrets.is_secret_name(name):
            return self.add_secret(name)
        if re.fullmatch(_BARE_KEY, name) and not Path(name).exists():
            raise UsageError(
                f"--key {name}: a key is given as a file; write it to one, so that what is trusted"
                " can be looked at and is not lost in a shell's history"
            )
        data = self._read(name, limits.KEY_FILE_SIZE, "--key")
        anchor = self._add("key", f"key {name}", name)
        for _, scheme in plugins.each("assay.signatures"):
            try:
                keys = scheme.load_keys(data, anchor)
            except UsageError as error:
                raise UsageError(f"--key {name}: {error}") from error
            if keys:
                self.keys += [replace(key, demands=self.demands) for key in keys]
                return self
        raise UsageError(
            f"--key {name}: no known kind of public key (PEM, OpenPGP, minisign, signify, SSH)"
        )

    def add_identity(
        self, name: str, issuer: str = "", claims: Mapping[str, str] | None = None
    ) -> Trust:
        """Trust a signer of this name (`NamePattern`), as other material (an authority, a trusted
        root, a list of allowed signers) proves it; with ``issuer``, only where that issuer says
        so, and with ``claims`` (name -> pattern), only where these are proven as well."""
        try:
            pattern = NamePattern.parse(name)
        except ValueError as error:
            raise UsageError(f"--identity {name}: {error}") from error
        try:
            by = NamePattern.parse(issuer) if issuer else None
        except ValueError as error:
            raise UsageError(f"--issuer {issuer}: {error}") from error
        asked: list[tuple[str, NamePattern]] = []
        for claim, wanted in sorted((claims or {}).items()):
            try:
                asked.append((claim, NamePattern.parse(wanted)))
            except ValueError as error:
                raise UsageError(f"--identity-claim {claim}: {error}") from error
        identity = IdentityPattern(pattern, by, tuple(asked))
        anchor = self._add("identity", f"identity {identity}", name)
        self.keys.append(Key(anchor, IDENTITY_SCHEME, str(identity), identity))
        return self

    def add_trusted_root(self, path: str) -> Trust:
        """Check identities and log proofs with a Sigstore trusted root. It is no anchor: anybody
        can get an identity, so it takes one that is trusted (`add_identity`), or a key."""
        from assay.signatures.sigstore.scheme import load_trusted_root

        data = self._read(path, limits.DOCUMENT_SIZE, "--trusted-root")
        try:
            self.keys.append(load_trusted_root(data))
        except UsageError as error:
            raise UsageError(f"--trusted-root {path}: {error}") from error
        return self

    def add_tuf_root(
        self, name: str, options: OpenOptions | None = None, at: datetime | None = None
    ) -> Trust:
        """As `add_trusted_root`, with the one that a TUF repository has: ``tuf`` for the instance
        that is called default, ``tuf:NAME``, or the repository's address. ``options`` say how to
        reach it, ``at`` is the effective time, which its metadata has to be valid at (None: now).
        Where it cannot be had, `findings` say why, and every check ends with that."""
        from datetime import UTC, datetime

        from assay.signatures.sigstore.scheme import load_trusted_root
        from assay.sources.model import OpenOptions
        from assay.trust.tuf import instances
        from assay.trust.tuf.client import obtain

        instance = instances.find(name)
        try:
            found = obtain(instance, at or datetime.now(UTC), options or OpenOptions())
        except AssayError as error:
            self.findings.append(error.finding)
            return self
        self.findings += found.findings
        self._note("--trusted-root", found.data)
        try:
            self.keys.append(load_trusted_root(found.data))
        except UsageError as error:
            raise UsageError(f"--trusted-root {name}: {error}") from error
        return self

    def add_witness_policy(self, path: str) -> Trust:
        """Believe a transparency log only with the witnesses that this policy (C2SP tlog-policy)
        asks for. It counts for every trusted root, and is no anchor."""
        from assay.sigstore.trusted_root import WITNESS_SCHEME
        from assay.transparency.note import NoteError
        from assay.transparency.policy import parse_policy

        data = self._read(path, limits.WITNESS_POLICY_SIZE, "--witness-policy")
        if any(key.scheme == WITNESS_SCHEME for key in self.keys):
            raise UsageError("--witness-policy: one policy has to say it all")
        try:
            policy = parse_policy(data)
        except NoteError as error:
            raise UsageError(f"--witness-policy {path}: {error}") from error
        self.keys.append(Key("", WITNESS_SCHEME, path, policy))
        return self

    def add_ssh_revoked(self, path: str) -> Trust:
        """Believe no signature by the SSH keys and certificates on this list: OpenSSH's key
        revocation list, or public keys, one a line."""
        from assay.signatures.ssh import revocation

        data = self._read(path, limits.KEY_FILE_SIZE, "--ssh-revoked")
        try:
            revoked = revocation.read(data)
        except UsageError as error:
            raise UsageError(f"--ssh-revoked {path}: {error}") from error
        self.keys.append(Key("", revocation.KEY_SCHEME, path, revoked))
        return self

    def add_pcr_key(self, path: str) -> Trust:
        """Ask for PCR values of a unified kernel image to be signed by this key. It is no anchor:
        what a boot measures is not the whole image."""
        from assay.signatures import pcr_policy, plain_keys

        data = self._read(path, limits.KEY_FILE_SIZE, "--pcr-key")
        try:
            keys = plain_keys.load(data, "")
        except UsageError as error:
            raise UsageError(f"--pcr-key {path}: {error}") from error
        if not keys:
            raise UsageError(f"--pcr-key {path}: not a public key in PEM")
        self.keys += [replace(key, scheme=pcr_policy.PCR_KEY, key_id=path) for key in keys]
        return self

    def add_ca(self, path: str | os.PathLike[str]) -> Trust:
        """Trust whoever an authority has certified: certificates in PEM or DER, each of which is
        trusted. They may be roots, authorities below one, or signers' own."""
        demand = self.demands.get(key_schemes.PURPOSE_DEMAND, "")
        if demand:
            from assay.x509.purposes import purposes_of

            try:
                purposes_of(demand)
            except ValueError as error:
                raise UsageError(f"--eku: {error}") from error
        found = self._certificates(path, "--ca")
        anchor = self._add("ca", f"certificate authority {path}", os.fspath(path))
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        names = ", ".join(str(each) for each in found[:3]) + more
        self.keys.append(Key(anchor, key_schemes.AUTHORITY, names, found, self.demands))
        return self

    def add_kernel(self, path: str | os.PathLike[str]) -> Trust:
        """Trust whoever a kernel lets sign its modules: the certificates of its built-in keyring.
        The kernel, which may be within a unified kernel image, is taken on the user's word. Its
        release becomes `kernel`."""
        from assay.formats.uki.kernel import kernel_within
        from assay.linux.keyring import read_keyring
        from assay.sources.files import open_path

        if self.kernel:
            raise UsageError("--kernel: modules are loaded by one kernel; give one")
        try:
            blob = open_path(Path(path))
            if blob.size is None:
                raise UsageError(f"--kernel {path}: not a regular file")
            blob = kernel_within(blob)
            _, keyring = read_keyring(blob.read_at, blob.size or 0)
        except AssayError as error:
            raise UsageError(f"--kernel {path}: {error.finding.detail}") from error
        if not keyring.keys:
            raise UsageError(
                f"--kernel {path}: {keyring.problem}, so that it is not known which keys it trusts;"
                " give their certificates with --ca"
            )
        keys = [each.certificate for each in keyring.keys]
        return self.add_kernel_keys(os.fspath(path), keys, keyring.release)

    def add_kernel_keys(
        self, name: str, certificates: Sequence[Certificate], release: str
    ) -> Trust:
        """Trust whoever these certificates are of to sign the modules of a kernel (its name is for
        people) of this release."""
        from assay.signatures.kernel_module.scheme import KEYRING

        anchor = self._add(
            "kernel",
            f"keys built into kernel {name} ({release or 'of an unknown release'}), which is itself"
            " taken on your word",
            name,
        )
        names = ", ".join(str(each) for each in certificates)
        self.keys.append(Key(anchor, KEYRING, names, tuple(certificates)))
        self.kernel = release
        if not release:
            from assay.model.codes.linux import KERNEL_RELEASE_UNKNOWN

            self.findings.append(Finding.of(KERNEL_RELEASE_UNKNOWN, detail=f"kernel {name}"))
        return self

    def add_ca_intermediate(self, path: str | os.PathLike[str]) -> Trust:
        """Certificates that may stand between a signer and an authority; they are not trusted."""
        found = self._certificates(path, "--ca-intermediate")
        self.keys.append(Key("", key_schemes.INTERMEDIATE, os.fspath(path), found))
        return self

    def add_tsa_ca(self, path: str | os.PathLike[str]) -> Trust:
        """Believe the times that time stamping authorities below these certificates state."""
        found = self._certificates(path, "--tsa-ca")
        self.keys.append(Key("", key_schemes.TIME_AUTHORITY, os.fspath(path), found))
        return self

    def add_crl(self, path: str | os.PathLike[str]) -> Trust:
        """Believe no certificate that these revocation lists (PEM or DER) name, and none that no
        list is about."""
        from assay.x509.crl import read_crls

        data = self._read(path, limits.CRL_SIZE, "--crl")
        try:
            lists = tuple(read_crls(data))
        except AssayError as error:
            raise UsageError(f"--crl {path}: {error.finding.detail}") from error
        self.keys.append(Key("", key_schemes.LISTS, os.fspath(path), lists))
        return self

    def add_notation_config(self, folder: str | os.PathLike[str], policy: str = "") -> Trust:
        """Trust whom notation trusts: the trust policies and trust stores in its configuration
        directory. Which policy counts follows from the image, unless one is named. It counts for
        Notary signatures alone."""
        from assay.trust.notation import read_config

        self.notation.append(read_config(Path(folder), policy))
        return self

    def ask_revocation(self, mode: str, cache: str | os.PathLike[str] | None = None) -> Trust:
        """Ask the responders and fetch the lists that certificates name. ``soft`` warns and
        ``hard`` refuses where that tells nothing; ``off`` asks nobody, not even where a trust
        policy wants it. Answers are kept in the directory ``cache`` (None: in memory only) for as
        long as they count. Certificates below authorities are meant, not those that a Sigstore
        trusted root proves: they live for minutes, and name nobody to ask."""
        from assay.trust.revocation.settings import Revocation

        self.revocation = Revocation.of(mode, Path(cache) if cache is not None else None)
        return self

    def for_image(self, resolved: str, *, offline: bool = False) -> Trust:
        """What is trusted for the image that a name was resolved to; with ``offline`` nobody is
        asked about revocation. Raises UsageError when no trust policy of notation applies to it,
        or one that can vouch for nothing."""
        by_policy = any("notary" in one.schemes for one in self.requirements)
        if not self.notation and not by_policy and self.revocation is None:
            return self
        trust = replace(self, anchors=list(self.anchors), keys=list(self.keys), notation=[])
        if self.notation:
            from assay.signatures.notary.policy import POLICY_SCHEME
        for config in self.notation:
            name, policy = config.policy_for(resolved)
            anchor = trust._add("ca", f"trust policy {name} of {config.folder}")
            trust.keys.append(Key(anchor, POLICY_SCHEME, f"trust policy {name}", policy))
        if self.revocation is None:
            self.ask_revocation("by-policy")
        assert self.revocation is not None
        asking = self.revocation.key(offline=offline)
        if asking is not None:
            trust.keys.append(asking)
            trust.requirements = [
                replace(one, keys=(*one.keys, asking)) for one in self.requirements
            ]
        return trust

    def ask_docker_reference(self, name: str) -> Trust:
        """Count only signatures that were made for this name (``docker-reference``): of one image,
        or of any in a repository where it has neither tag nor digest. Signatures that name no image
        do not count."""
        from assay.trust.containers.identity import ExactReference, ExactRepository

        try:
            self.signed_name = ExactReference.parse(name)
        except ValueError:
            try:
                self.signed_name = ExactRepository.parse(name)
            except ValueError as error:
                raise UsageError(f"--docker-reference {name[:300]}: {error}") from error
        return self

    def ask_annotation(self, name: str, value: str) -> Trust:
        """Count only signatures whose signer annotated ``name`` as ``value``: in a payload of
        cosign or of simple signing, with the subject of a statement, or in a payload of the Notary
        Project (user metadata). Signatures that say nothing beside do not count."""
        if not name or any(asked == name and wanted != value for asked, wanted in self.annotations):
            why = "it is asked for with two values" if name else "it has no name"
            raise UsageError(f"--annotation {name}={value}: {why}")
        self.annotations = (*self.annotations, (name, value))
        return self

    def add_secret(self, name: str) -> Trust:
        """Trust whoever shares a secret: ``secret:FILE``, ``secret:env:NAME`` or
        ``secret:fd:NUMBER``, with ``secret-hex:`` or ``secret-base64:`` for text forms."""
        secret, where = secrets.read_secret(name, "--key")
        anchor = self._add("secret", f"secret from {where}", name)
        known = [key for key in self.keys if key.scheme == "secret" and key.material == secret]
        key_id = known[0].key_id if known else anchor
        self.keys.append(Key(anchor, "secret", key_id, secret, self.demands))
        return self
