package artifact

// SetType is the type of the sets that the kind may look its value up in; empty
// for kinds that have none.
func (k MatchKind) SetType() SetType {
	switch k {
	case MatchL4Proto:
		return SetProto
	case MatchIIFName, MatchOIFName:
		return SetDevice
	case MatchSport, MatchDport:
		return SetService
	case MatchSaddr4, MatchDaddr4:
		return SetAddr4
	case MatchSaddr6, MatchDaddr6:
		return SetAddr6
	case MatchTime:
		return SetTime
	case MatchAlive:
		return SetFamily
	case MatchCTID:
		return SetFlow
	default:
		return ""
	}
}

// selector is how nft names the value that the kind tests, where it may stand
// before a set, a range or a map.
func (k MatchKind) selector() string {
	if k == MatchL4Proto {
		return "meta " + string(k)
	}
	if k.SetType() == "" {
		return Word(string(k))
	}
	return string(k)
}
