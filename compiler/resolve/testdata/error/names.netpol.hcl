policy "zom" {
  criteria = "app == 'zom'" # ERROR NP0012: Unknown application
  label    = "x"
}

policy "list" {
  criteria = "app in ['zoom', 'netify.temas', 'quic', 'google meet']" # ERROR NP0012: Unknown application # ERROR NP0012: Unknown application # ERROR NP0012: Unknown application
  label    = "x"
}

policy "others" {
  criteria = [
    "protocol == 'qick'",      # ERROR NP0102: Unknown protocol
    "category == 'vioip'",     # ERROR NP0103: Unknown category
    "by == 'magic'",           # ERROR NP0120: Unknown evidence
    "app contains 'qqq'",      # ERROR NP0012: Unknown application
    "ap == 'zoom'",            # ERROR NP0101: Unknown attribute
    "our_mac == 'aa:bb'",      # ERROR NP0101: Unknown attribute
    "app == zoom",             # ERROR NP0101: Unknown attribute
    "app",                     # ERROR NP0108: Not a condition
    "src_port",                # ERROR NP0108: Not a condition
    "'zoom'",                  # ERROR NP0108: Not a condition
    "local_ip == '@kid'",      # ERROR NP0112: Undefined group
    "local_ip == 'kids'",      # ERROR NP0019: Invalid address
    "hostname == '*.zoom.us'", # ERROR NP0022: Invalid domain
    "hostname == 'a b'",       # ERROR NP0022: Invalid domain
    "domain(hostname, '*.zoom.us')", # ERROR NP0022: Invalid domain
    "domain(app, 'zoom.us')",  # ERROR NP0105: Wrong operator
    "domain(hostname)",        # ERROR NP0106: Wrong constant
    "domain(hostname, 5)",     # ERROR NP0106: Wrong constant
    "domian(hostname, 'x.y')", # ERROR NP0104: Unknown function
    "iface == 'a/b'",          # ERROR NP0121: Invalid interface name
  ]
  label = "x"
}

address_group "kids" {
  members = ["10.0.0.1", "@guest"] # ERROR NP0112: Undefined group
}

address_group "guests" {
  members = ["@a"]
}

address_group "a" {
  members = ["@b"]
}

address_group "b" {
  members = ["@a"] # ERROR NP0113: Circular groups
}

application "mine" { # ERROR NP0009: Missing required argument
  domains = ["one.example", "two.example"]
}

application "yours" {
  category = "voi" # ERROR NP0103: Unknown category
  domains  = ["two.example"] # ERROR NP0011: Duplicate definition
}

category "voip" { # ERROR NP0118: Already in the catalogue
}

policy "only-reserved" {
  criteria = "true"
  mark     = "0x80000000/0x80000000" # ERROR NP0119: Reserved mark
}

policy "reserved" {
  criteria = "app == 'zoom'"
  mark     = "0x80000001/0x80000001" # ERROR NP0119: Reserved mark
}
