# Parental control: bedtimes by child, homework, a weekly allowance.

netpol {
  timezone = "America/New_York"
}

locals {
  children = {
    ada = { macs = ["02:00:5e:10:00:11", "02:00:5e:10:00:12"] }
    bob = { macs = ["02:00:5e:10:00:21"] }
  }
}

schedule "bedtime" {
  days  = ["sun", "mon", "tue", "wed", "thu"]
  hours = ["20:30-06:30"]
}

schedule "homework" {
  days  = ["weekdays"]
  hours = ["15:00-17:00"]
}

schedule "weekend-morning" {
  days  = ["weekend"]
  hours = ["07:00-10:00"]
}

policy "asleep" {
  for_each = local.children
  criteria = "local_mac in ${each.value.macs}"
  exempt   = "protocol in ['dns', 'ntp']"
  schedule = "bedtime"
  verdict  = "drop"
}

policy "homework" {
  for_each = local.children
  criteria = "local_mac in ${each.value.macs} && (category in ['games', 'social-media', 'streaming-media'])"
  schedule = "homework"
  verdict  = "reject"
}

policy "cartoons-on-weekends" {
  criteria = "app in ['youtube', 'netflix'] && schedule == 'weekend-morning'"
  dscp     = "af31"
}

policy "long-sessions" {
  description = "An hour of games in one go is enough"
  criteria    = "category == 'games' && duration > 3600"
  label       = "long-game"
  dscp        = "cs1"
}
