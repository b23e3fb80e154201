package top

import tea "charm.land/bubbletea/v2"

// prompt is where criteria are typed. What is good is shown at once.
type prompt struct {
	open    bool
	text    string
	checked string // the last text that was good
	good    bool   // there is one
	fault   string // of text
}

// typeKey edits criteria.
func (m *Model) typeKey(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.prompt = prompt{}
		return m.look()
	case "enter":
		if m.prompt.fault != "" || m.prompt.checked != m.prompt.text {
			return nil // what is wrong is on the screen
		}
		m.criteria, m.prompt = m.prompt.text, prompt{}
		return m.look()
	case "backspace":
		if r := []rune(m.prompt.text); len(r) > 0 {
			return m.edit(string(r[:len(r)-1]))
		}
	case "ctrl+u":
		return m.edit("")
	case "ctrl+w":
		return m.edit(withoutWord(m.prompt.text))
	default:
		if k.Text != "" {
			return m.edit(m.prompt.text + k.Text)
		}
	}
	return nil
}

// withoutWord is a text without its last word.
func withoutWord(text string) string {
	r := []rune(text)
	for len(r) > 0 && r[len(r)-1] == ' ' {
		r = r[:len(r)-1]
	}
	for len(r) > 0 && r[len(r)-1] != ' ' {
		r = r[:len(r)-1]
	}
	return string(r)
}

// maxPrompt bounds criteria, in bytes: a request to netpold has 64 kB.
const maxPrompt = 4096

// edit has new criteria looked at.
func (m *Model) edit(text string) tea.Cmd {
	if len(text) > maxPrompt {
		return nil
	}
	m.prompt.text = text
	return func() tea.Msg { return checkedMsg{text, m.source.Check(text)} }
}

// checked takes in what was found of criteria, if they are still those that are typed.
func (m *Model) checked(msg checkedMsg) tea.Cmd {
	if !m.prompt.open || msg.criteria != m.prompt.text {
		return nil
	}
	if m.prompt.fault = faultOf(msg.err); msg.err != nil {
		return nil
	}
	m.prompt.checked, m.prompt.good = msg.criteria, true
	m.cursor, m.offset, m.chosen = 0, 0, ""
	return m.look()
}
