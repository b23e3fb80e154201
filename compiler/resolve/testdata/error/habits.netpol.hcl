# What people bring along from other programs.
policy "tcpdump" {
  criteria = ["protocol == 'tcp'", "dport == 80", "saddr == '10.0.0.1'", "iifname == 'lan0'"] # ERROR NP0102: Unknown protocol # ERROR NP0101: Unknown attribute # ERROR NP0101: Unknown attribute # ERROR NP0101: Unknown attribute
  label    = "a"
}

policy "ports" {
  criteria = ["dst_port == '80-90'", "dst_port in '80, 443'", "dst_port == '443'"] # ERROR NP0106: Wrong constant # ERROR NP0106: Wrong constant # ERROR NP0106: Wrong constant
  label    = "a"
}

policy "groups" {
  criteria = ["local_ip in @guests", "app in ('zoom', 'webex')"] # ERROR NP0100: Invalid criteria # ERROR NP0100: Invalid criteria
  label    = "a"
}
