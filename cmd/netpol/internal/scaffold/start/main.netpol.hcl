# The policies of this network. netpol reads every *.netpol.hcl file in this directory,
# in the order of their names. What a policy may ask and do:
# https://github.com/netpol/netpol/blob/main/docs/language.md

netpol {
  # Networks that are local besides the private ranges:
  # local_networks = ["203.0.113.0/24"]
  timezone = "UTC"
}

address_group "guests" {
  description = "The guests' network: put in yours"
  members     = ["192.168.50.0/24"]
}

# Named by netpold once for each connection; from then on the kernel marks its packets.
policy "calls-first" {
  description = "Calls and meetings before everything else"
  criteria    = "category == 'voip-conferencing'"
  label       = "calls"
  dscp        = "ef"
}

# Decided by the kernel alone, on the connection's first packet.
policy "backups-last" {
  description = "Copies to the backup server wait for everybody else"
  criteria    = "dst_port == 873 && ip_protocol == 'tcp'"
  dscp        = "cs1"
}

policy "no-torrents-for-guests" {
  description = "File sharing belongs on other networks"
  criteria    = "local_ip in '@guests' && protocol == 'bittorrent'"
  verdict     = "reject"
  # Counts and logs what matches, and stops nothing. Take the line out when
  # `netpol show` says what you expect.
  audit = true
}
