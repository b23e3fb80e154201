# A small company that allows what it uses and drops the rest.

address_group "lan" {
  members = ["192.168.10.0/24", "fd00:10::/64"]
}

address_group "admins" {
  members = ["192.168.10.2", "192.168.10.3"]
}

address_group "router" {
  members = ["192.168.10.1"]
}

policy "admins-may-do-all" {
  order    = -100
  criteria = "src_ip in '@admins'"
  verdict  = "accept"
}

policy "lan-logs-in" {
  order    = -100
  criteria = "dst_ip in '@router' && ip_protocol == 'tcp' && dst_port == 22"
  verdict  = "accept"
}

policy "names-and-time" {
  criteria = "protocol in ['dns', 'ntp', 'dhcp', 'mdns']"
  verdict  = "accept"
}

policy "icmp" {
  criteria = "ip_protocol in ['icmp', 'icmpv6']"
  verdict  = "accept"
}

policy "work" {
  criteria = "local_ip in '@lan' && category in ['business', 'mail', 'cloud-storage', 'voip-conferencing', 'software-update']"
  verdict  = "accept"
}

policy "web" {
  criteria = "local_ip in '@lan' && category == 'web'"
  verdict  = "accept"
}

policy "lan-stays-inside" {
  criteria = "src_ip in '@lan' && dst_ip in '@lan'"
  verdict  = "accept"
}

policy "rest" {
  description = "Everything that is not named above"
  criteria    = "local_ip in '@lan'"
  verdict     = "drop"
}
