"""Codes about reaching images over the network: HTTP, TLS, registries."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

OFFLINE = Code(
    "offline",
    "the image is on the network, and --offline forbids going there",
    Severity.ERROR,
    Question.CHECKED,
    "Whether everything that is needed can be had without a network connection.",
    "The name is that of a registry or a web server. No connection was made.",
    "Copy the image to a file or an OCI layout where there is a network, and verify the copy; its"
    " digest stays the same.",
)

UNREACHABLE = Code(
    "unreachable",
    "the server cannot be reached",
    Severity.ERROR,
    Question.CHECKED,
    "Whether a connection to the server (or to the proxy that leads there) can be made and kept.",
    "The host name is misspelt or unknown here, the server is down, a firewall is in the way, or a"
    " proxy is needed.",
    "Check the host name and the network. Where a proxy is needed, set HTTPS_PROXY and NO_PROXY."
    " Nothing was decided about the image.",
)

TIMEOUT = Code(
    "timeout",
    "the server does not answer in time",
    Severity.ERROR,
    Question.CHECKED,
    "The time to connect, the time to an answer, and the rate at which bytes arrive.",
    "An overloaded server or network; a firewall that swallows packets; seldom a server that holds"
    " the verifier up on purpose.",
    "Try again later. On a line that is known to be slow, give more time with --timeout.",
)

TLS_FAILED = Code(
    "tls-failed",
    "no trustworthy TLS connection to the server",
    Severity.ERROR,
    Question.CHECKED,
    "The server's certificate: its chain to a known authority, its names, its validity; and that"
    " both sides agree on a protocol version.",
    "The certificate has expired, is of a private authority that is not known here, or is for"
    " another name; the clock is wrong; or someone stands between you and the server.",
    "If the server has a certificate of a private authority, get that authority's certificate over"
    " another channel and name it with --tls-ca (or put it into the registry's certs.d folder)."
    " Otherwise treat the connection as intercepted until the server's operator says otherwise.",
)

DENIED = Code(
    "denied",
    "the server refuses access",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the server lets you read this, with the credentials found for it (401, 403).",
    "You are not logged in, the password or token has expired, or the account may not read this."
    " Many registries answer like this for a repository that does not exist.",
    "Check the name. Log in with your usual tool (its configuration file is read), or name a file"
    " of credentials with --auth-file.",
)

RATE_LIMITED = Code(
    "rate-limited",
    "the server asks to come back later",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the server still says 429 (too many requests) after waiting as it asked to.",
    "Too many requests from this address or account; anonymous access is often limited strictly.",
    "Wait for the time named in the detail. Logging in usually raises the limit.",
)

REDIRECT_REFUSED = Code(
    "redirect-refused",
    "the server leads to a place that must not be followed",
    Severity.ERROR,
    Question.CHECKED,
    "Redirects: their number, and that none leads from https to http, from the network to this"
    " very machine, or to an address with a password in it.",
    "A misconfigured server or proxy, a login page in the way, or an attempt to turn the verifier"
    " against another host.",
    "Ask the server's operator. If the target is the right one, name it directly.",
)

SERVER_ERROR = Code(
    "server-error",
    "the server failed",
    Severity.ERROR,
    Question.CHECKED,
    "The status of the server's answer, after several attempts.",
    "A defect or an outage on the other side, or an address that does not serve this protocol.",
    "Try again later; tell the operator which request failed.",
)

RESPONSE_MALFORMED = Code(
    "response-malformed",
    "the server's answer does not follow the protocol",
    Severity.ERROR,
    Question.CHECKED,
    "The structure of the answer: headers, ranges, challenges, tokens, lists.",
    "Something other than the expected server answers (a login page, a proxy), a defective server,"
    " or one that tries to confuse the verifier.",
    "Check that the name leads to a registry or file server and that no portal is in between.",
)

BODY_TOO_LARGE = Code(
    "body-too-large",
    "the server sends more than is reasonable",
    Severity.ERROR,
    Question.CHECKED,
    "The number of bytes of an answer against a fixed limit, while it arrives.",
    "The name leads to something else, or the server tries to exhaust the verifier.",
    "Check the name. Do not fetch it with tools that have no limit.",
)

TRANSFER_INCOMPLETE = Code(
    "transfer-incomplete",
    "the connection broke again and again before the end",
    Severity.ERROR,
    Question.CHECKED,
    "Whether all the bytes that the server announced arrive, continuing after interruptions.",
    "An unstable network, or a server or proxy that cuts long transfers; a file that is shorter on"
    " the server than it announces.",
    "Try again on a better line. If it always ends at the same offset, the server's copy is"
    " damaged: tell its operator.",
)

CONTENT_CHANGED = Code(
    "content-changed",
    "the content changed on the server while it was read",
    Severity.ERROR,
    Question.CHECKED,
    "The server's validator (ETag) and size when reading continues, against those at the start.",
    "A new version was published during the transfer, or several servers behind one name disagree.",
    "Run the check again. If it happens every time, the servers behind the name differ.",
)

RANGES_UNSUPPORTED = Code(
    "ranges-unsupported",
    "the server cannot send parts of a file",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the server honours range requests, which a format with random access needs.",
    "A simple file server, or a proxy that hides the ability.",
    "Download the file and verify the copy.",
)

REGISTRY_DIGEST_MISMATCH = Code(
    "registry-digest-mismatch",
    "the registry names another digest than that of the bytes it sent",
    Severity.ERROR,
    Question.INTACT,
    "The Docker-Content-Digest header of the answer against the digest of the bytes received.",
    "The bytes were damaged or replaced behind the registry's back (a cache, a proxy, its storage),"
    " or the registry is defective or hostile.",
    "Pull by the digest that the publisher announced, from another mirror if there is one, and tell"
    " the registry's operator.",
)

MANIFEST_TYPE_UNEXPECTED = Code(
    "manifest-type-unexpected",
    "the registry serves the manifest as something that is no manifest",
    Severity.ERROR,
    Question.INTACT,
    "The Content-Type of the answer against the manifest types of OCI and Docker.",
    "A registry made of plain files, a proxy that rewrites headers, a manifest type from before"
    " digests were used (schema 1), or an attempt to have one document read in two ways.",
    "Ask the registry's operator to serve manifests under their media type. Images of schema 1 must"
    " be pushed again with a current tool.",
)

TAG_NOT_ASKED = Code(
    "tag-not-asked",
    "the tag in the name was not looked up; the digest decides",
    Severity.INFO,
    Question.CHECKED,
    "Whether the name carries a tag beside a digest.",
    "The name says both. The digest alone says which image is meant; where the tag points today"
    " was not looked at.",
    "Nothing needs to be done. To learn where the tag points, give the name without the digest.",
)

CREDENTIALS_UNAVAILABLE = Code(
    "credentials-unavailable",
    "the credential helper did not deliver",
    Severity.ERROR,
    Question.CHECKED,
    "The program docker-credential-NAME that the configuration names for this server: that it is"
    " there, ends well and in time, and gives a user name and a secret.",
    "The helper is not installed or not on the PATH, its key store is locked, or its session has"
    " expired.",
    "Run the helper by hand (`docker-credential-NAME get`, the server's name on its standard input)"
    " and mend what it complains about.",
)
