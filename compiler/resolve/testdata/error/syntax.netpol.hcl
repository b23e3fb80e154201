locals {
  broken = "app == 'zom'" # ERROR NP0012: Unknown application
  also   = local.broken
  list   = ["app == 'zoom'", "dst_prt == 1"] # ERROR NP0101: Unknown attribute
  made   = [for a in ["zoom", "temas"] : "app == '${a}'"]
}

policy "computed" {
  criteria = local.made # ERROR NP0032: Template in criteria
  label    = "x"
}

policy "syntax" {
  criteria = [
    "app = 'zoom'",           # ERROR NP0100: Invalid criteria
    "app =~ 'zoom'",          # ERROR NP0100: Invalid criteria
    "app == 'zoom",           # ERROR NP0100: Invalid criteria
    "app == ",                # ERROR NP0100: Invalid criteria
    "(app == 'zoom'",         # ERROR NP0100: Invalid criteria
    "app == 'zoom'))",        # ERROR NP0100: Invalid criteria
    "local_ip == 10.0.0.1",   # ERROR NP0100: Invalid criteria
    "hostname matches 'a\\.b'", # ERROR NP0100: Invalid criteria
    "*",                      # ERROR NP0100: Invalid criteria
    "!ai:netify.zoom",        # ERROR NP0100: Invalid criteria
    "app == 'zoom'; app == 'teams';", # ERROR NP0116: Unsupported expression
    "let a = 1; a == 1",      # ERROR NP0116: Unsupported expression # ERROR NP0116: Unsupported expression
    "app == 'zoom' | app == 'teams'", # ERROR NP0116: Unsupported expression
    "any(['a'], {# == 'a'})", # ERROR NP0116: Unsupported expression # ERROR NP0116: Unsupported expression
    "hostname ?? 'x' == 'x'", # ERROR NP0116: Unsupported expression
    "app == b'zoom'",         # ERROR NP0116: Unsupported expression
    "app == == 'zoom'", # ERROR NP0100: Invalid criteria
    "app == ‘zoom’",    # ERROR NP0100: Invalid criteria
    "app == 'zoom' # comment", // # ERROR NP0116: Unsupported expression
    "app in ['zoom' and dst_port == 1", # ERROR NP0100: Invalid criteria
  ]
  label = "x"
}

policy "by-reference" {
  criteria = local.broken
  exempt   = [local.broken, local.also]
  label    = "x"
}

policy "by-reference-again" {
  criteria = local.list
  label    = "x"
}

policy "escapes" {
  criteria = "hostname == \"é\u0041.b\" or app == \"zom\"" # ERROR NP0012: Unknown application # ERROR NP0022: Invalid domain
  label    = "x"
}

policy "heredoc" {
  criteria = <<-EOT
    app == 'zoom'
      or app == 'temas'  // # ERROR NP0012: Unknown application
      or app in [
        'slack',         // # ERROR NP0012: Unknown application
      ]
  EOT
  exempt   = "app == 'zom'" # ERROR NP0012: Unknown application
  label    = "x"
}
