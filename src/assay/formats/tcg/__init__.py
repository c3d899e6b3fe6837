"""Event logs of measured boot (TCG PC Client Platform Firmware Profile): what firmware and boot
loaders say that they measured, and the PCR values that follow from it."""

from __future__ import annotations

from assay.formats.detect import head_of
from assay.model.reading import Reading, Site


class EventLogFormat:
    """Event logs, crypto-agile and with SHA-1 alone."""

    name = "tcg-event-log"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        from assay.tcg.log import looks_like_log

        return looks_like_log(head_of(site))

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.tcg.event_log import read_event_log

        return read_event_log(site)


class RecordLogFormat:
    """The log that systemd keeps of what it measures itself."""

    name = "tcg-records"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        from assay.tcg.records import looks_like_records

        return looks_like_records(head_of(site))

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.tcg.records import read_record_log

        return read_record_log(site)


FORMAT = EventLogFormat()
RECORDS = RecordLogFormat()
