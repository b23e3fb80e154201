netpol {
  exempt = "dst_port == 53"
}

locals {
  video = "app in ['zoom', 'teams']"
}

address_group "kids" {
  members = ["192.168.1.32/28", "2001:db8::1", "@guests"]
}

address_group "guests" {
  members = ["10.9.0.0/16", "10.9.1.0/24"]
}

application "intranet" {
  name     = "Intranet"
  category = "own"
  domains  = ["Intra.Example.COM", "zoom.us"]
  networks = ["203.0.113.0/24"]
  ports    = ["tcp/8443", "udp/8801-8810"]
}

category "own" {
  description = "Our own services"
}

policy "netify-style" {
  criteria = "app == 'netify.zoom';"
  label    = "zoom"
  dscp     = "cs5"
}

policy "names" {
  criteria = [
    "application != 'Zoom' and protocol in ['quic', 'TLS']",
    "category == 'voip' || proto_category == 'web' or app == ''",
    "app startsWith 'google' or app matches '^(zoom|teams)$'",
    "'zoom' == app",
    "app not in ['zoom', 'teams'] and not (hostname not contains 'x')",
  ]
  label = "names"
}

policy "sides" {
  criteria = [
    "ip == '192.0.2.1' and port in [80, 8000..8100]",
    "ip != '@kids' and not (port == 443)",
    "'02-00-5E-10-00-01' == mac or local_mac in ['0200.5e10.0002', '02:00:5e:10:00:03']",
    "other_type != 'other_remote' and origin == 'Origin_Other'",
    "ip_dscp >= 46 and !ip_nat and confidence < 90 and detection_packets > 4",
    "dom_category == 'voip' and net_category != 'web'",
  ]
  label = "sides"
}

policy "handshakes" {
  criteria = [
    "tls_cipher in ['TLS_RSA_WITH_RC4_128_SHA', 'TLS_RSA_WITH_RC4_128_MD5'] or tls_cipher == 0x002f or ssl_cipher == 'tls_aes_128_gcm_sha256'",
    "tls_ech and tls_alpn_server == 'h2' and tls_server_cn endsWith '.example'",
    "tls_subject_dn contains 'O=Example' or tls_issuer_dn matches 'CN=CA [0-9]$'",
    "tls_cert_fingerprint == 'DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09'",
    "'missing_sni' in risks or risks in ['tls_weak_cipher', 'TLS_cert_expired'] or risks != ''",
  ]
  label = "handshakes"
}

policy "applications" {
  criteria = [
    "http_method in ['POST', 'put'] and http_url startsWith 'www.example.com/upload'",
    "ssh_client_agent contains 'libssh' or ssh_server_agent matches '^SSH-2[.]0-dropbear_20(1[0-9]|20)'",
    "dhcp_class_ident startsWith 'android' or dhcp_fingerprint == '1,3,6,15'",
    "mdns_domain_name endsWith '.local' or ssdp_user_agent contains 'Chrome' or ssdp_server contains 'Sonos'",
    "stun_mapped in ['192.0.2.0/24'] or stun_peer in '@kids' or stun_relayed == '2001:db8::1'",
    "quic_version == '2' or quic_version startsWith 'DRAFT-'",
  ]
  label = "applications"
}

policy "local" {
  criteria = local.video
  exempt   = ["local_ip == '@kids'", "interface == 'WAN0'"]
  labels   = ["a", "b"]
}

policy "addresses" {
  criteria = "local_ip in ['10.0.0.0/8', '10.1.0.0/16', '@kids'] and other_ip != '192.0.2.1' and src_ip in '2001:db8::/32'"
  mark     = "0x10/0xff"
}

policy "numbers" {
  criteria = <<-EOT
    dst_port in [80, 443, 8000..8100, 8101] and src_port >= 1024
      and 1 < src_port < 5000 and ip_protocol in ['tcp', 'UDP']
      and vlan_id < 10 and ip_version == 6 and dst_port != 22
  EOT
  dscp     = 46
}

policy "tls" {
  criteria = "tls_version < '1.2' or tls_version == 'TLSv1.3' or tls_version in [1.0, 1.1] or ssl_version == 0x0303 or tls_version == 'ssl3'"
  verdict  = "drop"
}

policy "text" {
  criteria = "hostname endsWith '.Zoom.us' or domain(hostname, 'zoom.us', ['Zoom.com']) or hostname matches `^a\\.b$` or http_user_agent contains 'Curl' or hostname == 'A.B.' or 'h2' in alpn or alpn in ['h3', 'hq-29']"
  verdict  = "reject"
}

policy "flags" {
  criteria = "detection_guessed == false and !detection_complete or detection_complete == true and not (detection_guessed != detection_complete)" # WARNING NP0115: Mixed and/or
  verdict  = "accept"
}

policy "choice" {
  criteria = "detection_complete ? app == 'zoom' : by == 'payload'"
  mark     = 16
}

policy "rest" {
  criteria = "src_port == dst_port and src_port + 1 < dst_port * 2 and len(hostname) > 40 and lower(hostname) == 'x' and lower(http_user_agent) == ja4 and src_port % 2 == 0 and len(alpn) in [1, 3..5] and abs(src_port - dst_port) == 1 and hostname contains dns_hostname"
  dscp     = "af41"
}

policy "netify" {
  criteria = "app == 'netify.zoom' AND NOT (app == 'teams') OR detection_guessed == TRUE;" # WARNING NP0115: Mixed and/or
  label    = "n"
}

policy "fractions" {
  criteria = "src_port / 2 > 1000 and abs(src_port / 3 - 1) in [1, 2..5] and lower(interface) == src_mac"
  label    = "f"
}

policy "everything" {
  criteria = "true"
  label    = "all"
}

policy "off" {
  enabled  = false
  criteria = "app == 'zoom'"
  label    = "off"
}
