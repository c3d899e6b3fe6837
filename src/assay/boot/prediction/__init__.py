"""What a boot measures: predicted from an image and the settings of firmware, and compared with the
event log of a machine."""
