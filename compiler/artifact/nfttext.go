package artifact

import (
	"fmt"
	"strconv"
	"strings"
)

// maxComment is what nft takes of a rule's comment in bytes
// (NFTNL_UDATA_COMMENT_MAXLEN of libnftnl is 128, with the final NUL).
const maxComment = 127

// Text is the rule in nft's own syntax without its comment. Labels stand as
// bit numbers, so it needs no connlabel.conf; anything that could end a word
// or a string in nft's grammar has been replaced (see Word).
func (r Rule) Text() string {
	words := make([]string, 0, len(r.Match)+len(r.Do))
	for _, m := range r.Match {
		words = append(words, m.text(false))
	}
	for _, s := range r.Do {
		words = append(words, s.text(false))
	}
	return strings.Join(words, " ")
}

// Summary is the rule for people: labels by name, and without what says
// nothing new (counters, the family that "ip dscp" implies).
func (r Rule) Summary() string {
	setsDSCP := false
	for _, s := range r.Do {
		setsDSCP = setsDSCP || s.Kind == DoSetDSCP4 || s.Kind == DoSetDSCP6
	}
	var words []string
	for _, m := range r.Match {
		if m.Kind == MatchFamily && setsDSCP {
			continue
		}
		words = append(words, m.text(true))
	}
	for _, s := range r.Do {
		if s.Kind == DoCounter || s.Kind == DoReturn && setsDSCP {
			continue
		}
		words = append(words, s.text(true))
	}
	return strings.Join(words, " ")
}

// UserComment is the comment the kernel keeps with the rule: its ID, a space,
// and Comment. The ID comes first so that it survives the cut at nft's limit.
func (r Rule) UserComment() string {
	s := commentText(strings.ReplaceAll(r.ID, " ", "_"))
	if r.Comment != "" {
		s += " " + commentText(r.Comment)
	}
	if len(s) > maxComment {
		s = s[:maxComment]
	}
	return strings.TrimRight(s, " ")
}

// text renders one match; named asks for label names instead of bits.
func (m Match) text(named bool) string {
	eq, ne := "", "!= "
	if !m.Not {
		ne = ""
	}
	if m.Set != "" {
		return m.Kind.selector() + " " + ne + "@" + Word(m.Set)
	}
	if m.Low != nil {
		return m.Kind.selector() + " " + ne + m.Kind.SetType().text(Element{Low: m.Low, High: m.High})
	}
	switch m.Kind {
	case MatchCTLabel:
		if len(m.Bits) > 0 {
			words := make([]string, len(m.Bits))
			for i, bit := range m.Bits {
				words[i] = strconv.Itoa(bit)
			}
			return "ct label " + bang(m.Not) + strings.Join(words, ",")
		}
		return "ct label " + bang(m.Not) + label(named, m.Name, m.Bit)
	case MatchCTState:
		return "ct state " + bang(m.Not) + Word(m.Name)
	case MatchCTStatus:
		return "ct status " + bang(m.Not) + Word(m.Name)
	case MatchCTMark, MatchMark:
		if eq = "=="; m.Not {
			eq = "!="
		}
		return fmt.Sprintf("%s & %#x %s %#x", m.Kind, m.Mask, eq, m.Value)
	case MatchCTID:
		if eq = "=="; m.Not {
			eq = "!="
		}
		return fmt.Sprintf("ct id & %d %s %d", m.Mask, eq, m.Value)
	case MatchCTPackets, MatchCTBytes:
		if eq = "<"; m.Not {
			eq = ">="
		}
		what := strings.TrimPrefix(string(m.Kind), "ct ")
		if m.Name != "" {
			what = Word(m.Name) + " " + what
		}
		return fmt.Sprintf("ct %s %s %d", what, eq, m.Limit)
	case MatchCTDirection:
		return "ct direction " + ne + Word(m.Name)
	case MatchL4Proto:
		return "meta l4proto " + ne + number(named, m.Value)
	case MatchFamily:
		return "meta nfproto " + ne + "ipv" + strconv.FormatUint(uint64(m.Value), 10)
	case MatchTCPReset:
		if m.Not {
			return "tcp flags != rst"
		}
		return string(m.Kind)
	case MatchIIFName, MatchOIFName:
		return string(m.Kind) + " " + ne + `"` + Word(m.Name) + `"`
	case MatchSport, MatchDport:
		return string(m.Kind) + " " + ne + strconv.FormatUint(uint64(m.Value), 10)
	case MatchDSCP4, MatchDSCP6:
		return string(m.Kind) + " " + ne + DSCPName(uint8(m.Value))
	case MatchSaddr4, MatchDaddr4, MatchSaddr6, MatchDaddr6, MatchTime, MatchAlive: // always with a set or Low
	}
	return "unknown match " + Word(string(m.Kind))
}

// text renders one statement; named asks for label names instead of bits.
func (s Statement) text(named bool) string {
	switch s.Kind {
	case DoCounter, DoSetSynAck, DoAccept, DoDrop, DoReturn, DoRejectTCPReset, DoRejectAdmin, DoNoTrack:
		return string(s.Kind)
	case DoLog:
		return fmt.Sprintf("log prefix \"%s\" group %d snaplen %d", Word(s.Name), s.Group, s.Snaplen)
	case DoSetDSCP4, DoSetDSCP6:
		return string(s.Kind) + " " + DSCPName(uint8(s.Value))
	case DoSetCTLabel:
		return "ct label set " + label(named, s.Name, s.Bit)
	case DoSetCTMark, DoSetMark:
		text := fmt.Sprintf("%s %s & %#x", s.Kind, strings.TrimSuffix(string(s.Kind), " set"), ^s.Mask)
		if v := s.Value & s.Mask; v != 0 {
			text += fmt.Sprintf(" | %#x", v)
		}
		return text
	case DoFlowAdd:
		return string(s.Kind) + " @" + Word(s.Name)
	case DoJump, DoGoto:
		return string(s.Kind) + " " + Word(s.Name)
	case DoCountIn, DoOverQuota:
		return fmt.Sprintf("%s \"%s\"", s.Kind, Word(s.Name))
	case DoOverLimit, DoWithinLimit:
		return string(s.Kind) + " " + s.Limit.String()
	case DoUpdate:
		return fmt.Sprintf("update @%s { %s%s }", Word(s.Name), s.Key.selector(), s.account())
	case DoSyslog:
		return fmt.Sprintf("log prefix \"%s\"", commentText(s.Name))
	case DoSetPriority:
		return "meta priority set " + PriorityName(s.Value)
	case DoRejectICMP:
		return "reject with icmpx " + Word(s.Name)
	case DoQueue:
		return strings.TrimRight(fmt.Sprintf("queue num %d %s", s.Group, Word(s.Name)), " ")
	case DoVMap:
		return s.Key.selector() + " vmap @" + Word(s.Name)
	}
	return "unknown statement " + Word(string(s.Kind))
}

// DSCPName is nft's name of a code point, its number where it has none
// (RFC 2474 section 4.2.2, RFC 2597 section 6, RFC 3246 section 2.7).
func DSCPName(v uint8) string {
	switch class, drop := v>>3, v>>1&3; {
	case v == 46:
		return "ef"
	case v > 63:
		return strconv.Itoa(int(v))
	case v&7 == 0:
		return "cs" + strconv.Itoa(int(class))
	case v&1 == 0 && class >= 1 && class <= 4 && drop != 0:
		return "af" + strconv.Itoa(int(class)) + strconv.Itoa(int(drop))
	}
	return strconv.Itoa(int(v))
}

// Word is s with every byte that is not a letter, a digit or one of "-_.@+"
// replaced by an underscore: nft text is injectable, and a name that came
// from elsewhere must never end a string or a statement.
func Word(s string) string {
	return mapSafe(s, "-_.@+")
}

// commentText keeps what is legible in a comment and harmless inside quotes.
func commentText(s string) string {
	return mapSafe(s, " -_./:(),+;=<>[]#@")
}

func mapSafe(s, extra string) string {
	b := []byte(s)
	for i, c := range b {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(extra, c) < 0 {
			b[i] = '_'
		}
	}
	return string(b)
}

func label(named bool, name string, bit int) string {
	if named && name != "" {
		return Word(name)
	}
	return strconv.Itoa(bit)
}

// number names the IP protocols an operator knows by name.
func number(named bool, v uint32) string {
	if named {
		switch v {
		case 6:
			return "tcp"
		case 17:
			return "udp"
		}
	}
	return strconv.FormatUint(uint64(v), 10)
}

func bang(not bool) string {
	if not {
		return "! "
	}
	return ""
}

// account is what an update keeps of each element.
func (s Statement) account() string {
	switch {
	case s.Limit.Rate > 0:
		return " limit rate over " + s.Limit.String()
	case s.Bytes > 0:
		return fmt.Sprintf(" quota over %d bytes", s.Bytes)
	}
	return " counter"
}

// PriorityName is a packet's priority as tc and nft write it: MAJOR:MINOR in
// hexadecimal digits.
func PriorityName(v uint32) string { return fmt.Sprintf("%x:%x", v>>16, v&0xffff) }
