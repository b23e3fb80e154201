# Connections that endanger whoever makes them, found by what they show of
# themselves: see "Risks" in docs/attributes.md for every value.
#
# Asking for risks has netpold read on until a certificate or a login has been
# seen, so a flow without TLS 1.3 may take a few packets more to be decided.

address_group "old-devices" {
  description = "Cannot be updated, and live in a network of their own"
  members     = ["192.168.60.0/24"]
}

policy "passwords-in-the-clear" {
  description = "To the outside, anyone on the way can read them"
  criteria    = "risks == 'cleartext_credentials' and other_type == 'other_remote'"
  verdict     = "reject"
}

policy "broken-encryption" {
  description = "Obsolete or without protection, and nobody is exempt but the old devices"
  criteria    = "risks in ['tls_obsolete_version', 'tls_weak_cipher', 'ssh_obsolete_version']"
  exempt      = "local_ip == '@old-devices'"
  label       = "broken-encryption"
  verdict     = "reject"
}

policy "watch-odd-servers" {
  description = "Not forbidden, but worth a look: netpol flows shows the label"
  criteria    = "risks in ['tls_self_signed', 'tls_cert_expired', 'known_protocol_on_nonstandard_port'] and origin == 'origin_local'"
  label       = "odd-server"
}
