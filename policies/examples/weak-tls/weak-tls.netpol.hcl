# No TLS below 1.2, except for a printer that knows no better.
#
# The server chooses the version, so a flow is judged when its hello has been
# seen, and the connection is reset then. The exemption names devices, not
# servers: the printer keeps working and everything else is protected.

address_group "old-printers" {
  description = "Firmware of 2012, scans to mail with TLS 1.0"
  members     = ["192.168.1.40", "fd00:1::40"]
}

policy "weak-tls" {
  description = "TLS 1.0 and 1.1 are broken (RFC 8996)"
  criteria    = "protocol == 'tls' and tls_version < '1.2'"
  exempt      = "local_ip == '@old-printers'"
  label       = "weak-tls"
  verdict     = "reject"
}
