"""SSH signatures (OpenSSH's PROTOCOL.sshsig), with keys, allowed signers, certificates and
revocation lists as ssh-keygen(1) has them."""
