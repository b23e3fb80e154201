policy "values" {
  for_each = { a = "zoom", b = "zom", c = "z'oom" }
  criteria = "app == ${each.value}" # ERROR NP0012: Unknown application # ERROR NP0012: Unknown application
  label    = "a"
}

policy "places" {
  for_each = { a = "x" }
  criteria = [
    "hostname == 'cdn.${each.value}.org'",  # ERROR NP0032: Template in criteria
    "hostname == 'cdn ${each.value} '",     # ERROR NP0032: Template in criteria
    "hostname == `cdn ${each.value} x`",    # ERROR NP0032: Template in criteria
    "true // ${each.value}",                # ERROR NP0032: Template in criteria
    "hostname ${each.value}",               # ERROR NP0032: Template in criteria
    "alpn${["h2"]} == 'x'",                 # ERROR NP0032: Template in criteria
    "src_port ${-1} == 5",                  # ERROR NP0032: Template in criteria
    "tls_version >= ${1.5}",                # ERROR NP0111: Invalid TLS version
    "src_port == 1${2}",                    # ERROR NP0032: Template in criteria
    "dst_port == ${each.value}",            # ERROR NP0106: Wrong constant
    "dst_port == ${70000} or app == 'zom'", # ERROR NP0021: Invalid port # ERROR NP0012: Unknown application
    "app == ${each.key} /* ' */",           # ERROR NP0012: Unknown application
  ]
  label = "b"
}
