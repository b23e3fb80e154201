# Proposed by netpol init --from-live from what was on gw-7 at 2026-11-22T10:00:00Z.
# Nothing of it is in force: the router was looked at and not changed. Read it, take out
# what you do not want, run netpol lint and netpol plan, and remove the old rules once
# netpol's are applied: until then both act.
# Not looked at: queues: operation not permitted

netpol {
  # Networks of this router's own that are not private ones.
  local_networks = ["203.0.113.0/25"]
  # Somebody uses the bit 0x80000000 of marks, which netpold would take.
  done_mark = "0x40000000"
  # The zone of times of day and schedules.
  timezone = "UTC"
}

# Addresses of the interface guest.7.
address_group "guest-7" {
  members = ["203.0.113.0/25"]
}

# How much each host there moves: netpol usage shows it once this is enabled.
policy "hosts-of-guest-7" {
  criteria = "local_ip in '@guest-7'"
  count    = "host"
  enabled  = false
}

# Addresses of the interface lan0 and of one network behind it.
address_group "lan0" {
  members = ["192.168.1.0/24", "fd00:1::/64", "10.9.0.0/16"]
}

# How much each host there moves: netpol usage shows it once this is enabled.
policy "hosts-of-lan0" {
  criteria = "local_ip in '@lan0'"
  count    = "host"
  enabled  = false
}

# wan0 leads to the Internet: a default route is there.

# What rules of others do to packets now. A policy is of whole connections: it acts on both
# directions, where a rule may have acted on one. Of rules the last one that sets something wins, of
# policies the first, so those of a chain stand here from its end to its beginning.

# nftables inet qos mangle: ct mark set tcp dport map @ports
policy "mark-0x9-tcp-25" {
  criteria = "ip_protocol == 'tcp' && dst_port == 25"
  mark     = "0x9"
}

# nftables inet qos mangle: ct mark set tcp dport map @ports
policy "mark-0xa-tcp-110" {
  criteria = "ip_protocol == 'tcp' && dst_port == 110"
  mark     = "0xa"
}

# nftables inet qos other: meta mark set 119
# It was the packet's mark; a policy sets the connection's. What goes by it needs a rule that
# copies it: meta mark set ct mark.
policy "mark-0x77-tcp-26" {
  criteria = "ip_protocol == 'tcp' && dst_port == 26"
  mark     = "0x77"
}

# nftables inet qos mangle: ip saddr 192.168.1.10-192.168.1.20 tcp dport 7000 meta mark set 85
# It was the packet's mark; a policy sets the connection's. What goes by it needs a rule that
# copies it: meta mark set ct mark.
policy "mark-0x55-192.168.1.10/31-tcp-7000" {
  criteria = "ip_protocol == 'tcp' && src_ip in ['192.168.1.10/31', '192.168.1.12/30', '192.168.1.16/30', '192.168.1.20'] && dst_port == 7000"
  mark     = "0x55"
}

# nftables inet qos mangle: meta l4proto { tcp, udp } th dport 853 meta mark set 51
# The mark 0x33 is for a filter of tc on lan0, which leads to class 1:10.
policy "class-1.10-tcp-853" {
  criteria = "ip_protocol in ['tcp', 'udp'] && dst_port == 853"
  priority = "1:10"
}

# nftables inet qos mangle: ip protocol icmp ip dscp set cs7
policy "dscp-cs7-icmp" {
  criteria = "ip_protocol == 'icmp' && ip_version == 4"
  dscp     = "cs7"
}

# nftables inet qos mangle: tcp dport != 80 meta mark set 2147483651
# It was the packet's mark; a policy sets the connection's. What goes by it needs a rule that
# copies it: meta mark set ct mark.
policy "mark-0x80000003-tcp" {
  criteria = "ip_protocol == 'tcp' && not (dst_port == 80)"
  mark     = "0x80000003"
}

# nftables inet qos mangle: ct mark set tcp dport map { 80 : 1, 8080 : 2 }
policy "mark-0x1-tcp-80" {
  criteria = "ip_protocol == 'tcp' && dst_port == 80"
  mark     = "0x1"
}

# nftables inet qos mangle: ct mark set tcp dport map { 80 : 1, 8080 : 2 }
policy "mark-0x2-tcp-8080" {
  criteria = "ip_protocol == 'tcp' && dst_port == 8080"
  mark     = "0x2"
}

# nftables inet qos mangle: th dport 123 ip dscp set cs6
policy "dscp-cs6-123" {
  criteria = "ip_version == 4 && dst_port == 123"
  dscp     = "cs6"
}

# nftables inet qos mangle: tcp dport 99 meta mark set meta mark | 4
# It was the packet's mark; a policy sets the connection's. What goes by it needs a rule that
# copies it: meta mark set ct mark.
policy "mark-0x4-tcp-99" {
  criteria = "ip_protocol == 'tcp' && dst_port == 99"
  mark     = "0x4/0x4"
}

# nftables inet qos mangle: ip6 dscp set cs4 tcp dport 993
policy "dscp-cs4" {
  criteria = "ip_version == 6"
  dscp     = "cs4"
}

# nftables inet qos mangle: ip daddr 10.0.0.0/8 udp dport 5000-5100 meta priority set 1:10
policy "class-1.10-10.0.0.0/8-udp-5000-5100" {
  criteria = "ip_protocol == 'udp' && dst_ip in '10.0.0.0/8' && dst_port in 5000..5100"
  priority = "1:10"
}

# nftables inet qos mangle: meta iifname lan0 tcp dport { 22, 2222 } ct mark set ct mark & 4294967072 | 32
policy "mark-0x20-lan0-tcp-22" {
  criteria = "ip_protocol == 'tcp' && dst_port in [22, 2222] && interface == 'lan0'"
  mark     = "0x20/0xff"
}

# nftables inet qos mangle: ip saddr @phones meta mark set 16
# The mark 0x10 is for the routing rule 2000 (ip), which leads to table 100.
policy "route-100-192.168.1.5" {
  criteria = "src_ip in ['192.168.1.5', '192.168.1.64/26']"
  route    = 100
}

# nftables inet qos mangle: udp dport @voip ip dscp set ef
policy "dscp-ef-udp-5060" {
  criteria = "ip_protocol == 'udp' && ip_version == 4 && dst_port in [5060, 10000..20000]"
  dscp     = "ef"
}

# nftables inet qos mangle: tcp dport 443 ip6 dscp set cs5
# nftables inet qos mangle: tcp dport 443 ip dscp set cs5
policy "web-x-first" {
  criteria = "ip_protocol == 'tcp' && dst_port == 443"
  dscp     = "cs5"
}

# ip6tables-nft-save mangle CALLS: -p tcp -m tcp --sport 5061 -j CLASSIFY --set-class 0001:0010
policy "class-1.10-lan0-tcp-5061" {
  criteria = "ip_protocol == 'tcp' && ip_version == 6 && not (src_ip in 'fd00:5::/64') && src_port == 5061 && interface == 'lan0'"
  priority = "1:10"
}

# ip6tables-nft-save mangle CALLS: -p udp -m udp --dport 3478:3481 -j MARK --set-xmark 0x30/0xf0
# It was the packet's mark; a policy sets the connection's. What goes by it needs a rule that
# copies it: meta mark set ct mark.
policy "mark-0x30-lan0-udp-3478-3481" {
  criteria = "ip_protocol == 'udp' && ip_version == 6 && not (src_ip in 'fd00:5::/64') && dst_port in 3478..3481 && interface == 'lan0'"
  mark     = "0x30/0xf0"
}

# ip6tables-nft-save mangle FORWARD: -p tcp -m multiport --dports 80,8443 -m comment --comment web "traffic" -j DSCP --set-dscp 0x12
# iptables-nft-save mangle FORWARD: -p tcp -m multiport --dports 80,8443 -m comment --comment web "traffic" -j DSCP --set-dscp 0x12
policy "web-traffic" {
  criteria = "ip_protocol == 'tcp' && dst_port in [80, 8443]"
  dscp     = "af21"
}

# ip6tables-nft-save mangle PREROUTING: -p tcp -m tcp --dport 22 -j CONNMARK --set-xmark 0x7/0xffffffff
# iptables-nft-save mangle PREROUTING: -p tcp -m tcp --dport 22 -j CONNMARK --set-xmark 0x7/0xffffffff
policy "mark-0x7-tcp-22" {
  criteria = "ip_protocol == 'tcp' && dst_port == 22"
  mark     = "0x7"
}

# iptables-nft-save mangle CALLS: -p tcp -m tcp --sport 5061 -j CLASSIFY --set-class 0001:0010
policy "class-1.10-lan0-tcp-5061-2" {
  criteria = "ip_protocol == 'tcp' && ip_version == 4 && not (src_ip in '192.168.5.0/24') && src_port == 5061 && interface == 'lan0'"
  priority = "1:10"
}

# iptables-nft-save mangle CALLS: -p udp -m udp --dport 3478:3481 -j MARK --set-xmark 0x30/0xf0
# It was the packet's mark; a policy sets the connection's. What goes by it needs a rule that
# copies it: meta mark set ct mark.
policy "mark-0x30-lan0-udp-3478-3481-2" {
  criteria = "ip_protocol == 'udp' && ip_version == 4 && not (src_ip in '192.168.5.0/24') && dst_port in 3478..3481 && interface == 'lan0'"
  mark     = "0x30/0xf0"
}

# What netpold has named on this router lately, by connections.

# 3 connections
policy "seen-zoom" {
  criteria = "app == 'zoom'"
  count    = true
  enabled  = false
}

# Connections that conntrack had, by the port that they were opened to:
#      120  tcp/443
#        7  udp/53

# Classes of queues that policies can put packets into:
#   priority = "1:10"  htb on lan0, 10000 kbit/s

# Labels of others in connlabel.conf, which policies cannot have:
#     7 corporate

# Rules that mark packets and have no policy here:
#   nftables inet qos mangle: ip dscp cs1 meta priority set 1:30
#     policies cannot ask for ip dscp
#   nftables inet qos mangle: ip saddr . tcp dport { 10.1.1.1 . 80 } meta mark set 5
#     policies cannot ask for ip saddr . tcp dport
#   nftables inet qos mangle: meta iifname { lan0, lan1 } meta oifname wan0 tcp dport 1000 meta mark set 52
#     policies cannot ask for meta oifname
#   ip6tables-nft-save mangle FORWARD: -m length --length 0:100 -p tcp -j MARK --set-xmark 0x8/0xffffffff
#     policies cannot ask what -m length does
#   ip6tables-nft-save mangle FORWARD: -i eth+ -p tcp -m tcp --dport 81 -j MARK --set-xmark 0x8/0xffffffff
#     policies cannot ask for the interface "eth+"
#   iptables-nft-save mangle FORWARD: -m length --length 0:100 -p tcp -j MARK --set-xmark 0x8/0xffffffff
#     policies cannot ask what -m length does
#   iptables-nft-save mangle FORWARD: -i eth+ -p tcp -m tcp --dport 81 -j MARK --set-xmark 0x8/0xffffffff
#     policies cannot ask for the interface "eth+"
