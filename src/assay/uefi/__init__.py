"""Data structures of UEFI firmware and of boot loaders: values, and parsers that are total. Nothing
here knows trust."""
