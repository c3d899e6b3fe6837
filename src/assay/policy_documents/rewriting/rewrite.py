"""Which policies can be written anew, and how."""

from __future__ import annotations

from assay.model.finding import UsageError
from assay.policy_documents.rewriting.draft import Draft
from assay.policy_import.model import Policy


def rewritten(policy: Policy) -> Draft:
    """A policy of another tool as a draft of one of Assay's own. Raises UsageError for a kind that
    cannot be written so."""
    from assay.policy_import.containers.importer import ContainersPolicy
    from assay.policy_import.kubernetes.importer import KubernetesPolicies

    draft = Draft()
    if isinstance(policy, ContainersPolicy):
        from assay.policy_documents.rewriting import containers

        containers.rewrite(policy.file, draft)
    elif isinstance(policy, KubernetesPolicies):
        from assay.policy_documents.rewriting import kubernetes

        kubernetes.rewrite(policy.rules, draft)
    else:
        raise UsageError(f"{policy.format}: it cannot be written as a policy of Assay's own")
    if not draft.rules:
        raise UsageError("the policy lets nothing in, and so there is no rule to write")
    return draft
