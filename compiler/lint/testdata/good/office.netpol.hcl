# An office with two uplinks, servers of its own and a legacy printer.

category "our-services" {
  description = "What we run ourselves"
}

application "intranet" {
  category = "our-services"
  domains  = ["intranet.example.org"]
  networks = ["198.51.100.0/28"]
}

address_group "old-printers" {
  members = ["10.1.9.40", "fd00:1::40"]
}

policy "intranet-first" {
  criteria = "app == 'intranet'"
  dscp     = "af31"
}

policy "weak-tls" {
  criteria = "protocol == 'tls' and tls_version < '1.2'"
  exempt   = "local_ip == '@old-printers'"
  label    = "weak-tls"
  verdict  = "reject"
}

policy "backups-to-cable" {
  criteria = ["app in ['dropbox', 'onedrive']", "domain(hostname, 'backup.example.net') and dst_port == 443"]
  mark     = "0x10/0xf0"
}

policy "quic-off-for-lab" {
  criteria = "protocol == 'quic' and local_ip in '10.1.77.0/24'"
  verdict  = "reject"
}

policy "no-ssh-from-outside" {
  criteria = "interface == 'wan0' and ip_protocol == 'tcp' and dst_port == 22"
  verdict  = "drop"
}

policy "cdn-nodes" {
  criteria = "hostname matches '^edge[0-9]+[.]cdn[.]example[.]com$' or hostname startsWith 'static-'"
  label    = "static"
  mark     = "0x01/0x0f"
}

# netpol-ignore: NP0514 the accounting of /etc/acct.sh reads it
policy "tag-vpn" {
  criteria = "protocol in ['wireguard', 'openvpn'] and (interface == 'lan0' or interface == 'lan1')"
  label    = "vpn"
}

policy "everything-else" {
  criteria = "app == '' and protocol == '' and detection_complete"
  exempt   = "dst_port in 1..1023"
  mark     = "0x02/0x0f"
}
