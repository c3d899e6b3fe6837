"""Event logs of trusted platform modules: what firmware and boot loaders say they measured.

TCG PC Client Platform Firmware Profile (PFP) 1.06, section 10. Nothing in a log is signed: it
counts only where what it replays to is known from elsewhere (a quote, a PCR value), and of what an
event says only that part counts which its digest covers.
"""
