"""CMS and PKCS#7 signatures over files."""
