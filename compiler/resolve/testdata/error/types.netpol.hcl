policy "types" {
  criteria = [
    "app > 'zoom'",                # ERROR NP0105: Wrong operator
    "app == 5",                    # ERROR NP0106: Wrong constant
    "src_port == '443'",           # ERROR NP0106: Wrong constant
    "src_port == 65536",           # ERROR NP0021: Invalid port
    "src_port == -1",              # ERROR NP0021: Invalid port
    "src_port in 10..5",           # ERROR NP0122: Empty range
    "src_port == 1..5",            # ERROR NP0105: Wrong operator
    "src_port in [1, 'a']",        # ERROR NP0107: Mixed list
    "src_port contains 4",         # ERROR NP0105: Wrong operator
    "src_port == 1.5",             # ERROR NP0106: Wrong constant
    "src_port in [1, 70000, 'a', -5]", # ERROR NP0107: Mixed list
    "src_port in [1, 70000, -5]",  # ERROR NP0021: Invalid port # ERROR NP0021: Invalid port
    "src_port == 99999999999999999999", # ERROR NP0023: Number out of range
    "src_port + 5000000000 == 1",  # ERROR NP0023: Number out of range
    "src_port / 2 % 2 == 1",       # ERROR NP0106: Wrong constant
    "app in zoom",                 # ERROR NP0105: Wrong operator
    "startswith(hostname, 'a')",   # ERROR NP0104: Unknown function
    "hostname matches '(a{100}){100}{9}'", # ERROR NP0110: Invalid regular expression
    "vlan_id == 5000",             # ERROR NP0023: Number out of range
    "ip_version == 5",             # ERROR NP0023: Number out of range
    "ip_protocol == 'tpc'",        # ERROR NP0106: Wrong constant
    "ip_protocol == 'quic'",       # ERROR NP0106: Wrong constant
    "tls_version == '1.4'",        # ERROR NP0111: Invalid TLS version
    "tls_version == true",         # ERROR NP0111: Invalid TLS version
    "tls_version == 5",            # ERROR NP0111: Invalid TLS version
    "local_ip == '10.0.0.1/8'",    # ERROR NP0020: Host bits set
    "local_ip == '10.0.0'",        # ERROR NP0019: Invalid address
    "local_ip == 5",               # ERROR NP0106: Wrong constant
    "local_ip > '10.0.0.1'",       # ERROR NP0105: Wrong operator
    "local_ip == src_ip",          # ERROR NP0105: Wrong operator
    "alpn contains 'h2'",          # ERROR NP0105: Wrong operator
    "hostname matches '(a'",       # ERROR NP0110: Invalid regular expression
    "hostname == 'rx:.*zoom'",     # ERROR NP0109: Netify regular expression
    "app in 'zoom'",               # ERROR NP0105: Wrong operator
    "app == ['zoom']",             # ERROR NP0105: Wrong operator
    "['zoom'] in app",             # ERROR NP0105: Wrong operator
    "'zoo' contains app",          # ERROR NP0105: Wrong operator
    "!app == 'zoom'",              # ERROR NP0105: Wrong operator
    "not app in ['zoom']",         # ERROR NP0105: Wrong operator
    "detection_guessed == 'x'",    # ERROR NP0106: Wrong constant
    "detection_guessed > true",    # ERROR NP0105: Wrong operator
    "1 == 1",                      # ERROR NP0106: Wrong constant
    "app == nil",                  # ERROR NP0106: Wrong constant
    "src_port + 1",                # ERROR NP0108: Not a condition
    "len(hostname)",               # ERROR NP0108: Not a condition
    "len(src_port) == 1",          # ERROR NP0106: Wrong constant
    "len(hostname) == 'a'",        # ERROR NP0106: Wrong constant
    "src_port / dst_port == 1",    # ERROR NP0116: Unsupported expression
    "src_port % 0 == 1",           # ERROR NP0116: Unsupported expression
    "trim(hostname) == 'a'",       # ERROR NP0104: Unknown function
    "hostname matches dns_hostname", # ERROR NP0105: Wrong operator
    "hostname.x == 'a'",           # ERROR NP0116: Unsupported expression
    "src_mac == '02:00:5e'",       # ERROR NP0131: Invalid MAC address
    "mac > '02:00:5e:10:00:01'",   # ERROR NP0105: Wrong operator
    "origin == 'other_local'",     # ERROR NP0130: Unknown word
    "ip_dscp == 64",               # ERROR NP0023: Number out of range
    "confidence > 101",            # ERROR NP0023: Number out of range
    "ip == '10.0.0'",              # ERROR NP0019: Invalid address
    "port == src_port",            # ERROR NP0105: Wrong operator
    "port",                        # ERROR NP0105: Wrong operator
    "tls_cipher == 'TLS_AES_128'", # ERROR NP0106: Wrong constant
    "tls_cipher == 65536",         # ERROR NP0023: Number out of range
    "risks == 'missing-sni'",      # ERROR NP0130: Unknown word
    "risks contains 'tls'",        # ERROR NP0105: Wrong operator
    "tls_cert_fingerprint == 'ab'", # ERROR NP0106: Wrong constant
    "(detection_guessed ? 1 : 2) == 1", # ERROR NP0116: Unsupported expression
  ]
  label = "x"
}

policy "interfaces" {
  criteria = "true"
  interface = [
    "lan/0",               # ERROR NP0121: Invalid interface name
    "",                    # ERROR NP0121: Invalid interface name
    "a-name-far-too-long", # ERROR NP0121: Invalid interface name
  ]
  label = "a"
}
