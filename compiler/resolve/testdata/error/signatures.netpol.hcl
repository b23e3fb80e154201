application "intranet" {
  category = "web"
  signatures = [
    "http-agent Intranet/*",
    "http-agents Intranet/*",   # ERROR NP0053: Invalid signature
    "cert-issuer CN",           # ERROR NP0053: Invalid signature
    "dns-name dns.example.org", # ERROR NP0053: Invalid signature
  ]
}

application "other" {
  category   = "web"
  signatures = ["http-agent intranet/*"] # ERROR NP0011: Duplicate definition
}

application "no-place" {
  category = "web"
  signatures = [
    "Intranet",     # ERROR NP0053: Invalid signature
    "http-agent *", # ERROR NP0053: Invalid signature
    " x",           # ERROR NP0053: Invalid signature
  ]
}

category "dns-over-https" {}

application "resolver" {
  category = "dns-over-https"
  signatures = [
    "dns-name dns.example.net",
    "dns-name *.example.net", # ERROR NP0022: Invalid domain
    "dns-name example.com*",  # ERROR NP0053: Invalid signature
  ]
}
