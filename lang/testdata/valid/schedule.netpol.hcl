netpol {
  timezone = "Europe/Berlin"
}

schedule "evenings" {
  description = "After school"
  days        = ["mon", "Tuesday", "thu-fri"]
  hours       = ["16:00-18:30", "22:00-06:00", "23:00-00:00"]
}

schedule "holidays" {
  dates    = ["2026-12-24..2027-01-06", "2026-05-01"]
  except   = "2026-12-31"
  timezone = "America/New_York"
}

schedule "weekend" {
  days  = "weekend"
  hours = "0:00-24:00"
}

schedule "nights-over-sunday" {
  days = ["sat-mon"]
}

schedule "always" {
  days     = null
  timezone = null
}

policy "slow-evenings" {
  criteria = "app == 'youtube'"
  schedule = ["evenings", "holidays"]
  dscp     = "cs1"
}

policy "closed-weekends" {
  criteria = "app == 'youtube'"
  schedule = "weekend"
  verdict  = "reject"
  on_fail  = "closed"
}

policy "only-counted" {
  criteria = "app == 'youtube'"
  audit    = true
}
