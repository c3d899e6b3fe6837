"""Whether what a rule requires holds: one module for each kind of requirement, all of one shape
(`assay.policy.evaluate.model.Kind`). Pure: no I/O, and time is a value."""
