package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// talker speaks with the person in one language.
type talker struct {
	world
	lang  kakunin.Language
	lines *bufio.Reader
}

func newTalker(w world, lang kakunin.Language) talker {
	return talker{world: w, lang: lang, lines: bufio.NewReader(w.in)}
}

// pick returns the text in the person's language.
func (t talker) pick(ja, en string) string {
	if t.lang == kakunin.Japanese {
		return ja
	}
	return en
}

// say prints a line. The arguments are for both languages.
func (t talker) say(ja, en string, args ...any) { t.line(fmt.Sprintf(t.pick(ja, en), args...)) }

func (t talker) line(text string) { _, _ = fmt.Fprintln(t.out, text) }

// item prints a line below a heading.
func (t talker) item(ja, en string, args ...any) {
	t.line("  " + fmt.Sprintf(t.pick(ja, en), args...))
}

// yes is how a question is answered.
func (t talker) yes(b bool) string {
	if b {
		return t.pick("はい", "yes")
	}
	return t.pick("いいえ", "no")
}

// fail says what went wrong and what to do about it. The text of an error from below may hold data from outside.
func (t talker) fail(err error) {
	text := kakunin.MessageFor(err, t.lang)
	var local localError
	if errors.As(err, &local) {
		text = t.pick(local.ja, local.en)
	}
	_, _ = fmt.Fprintln(t.errors, text)
	if !errors.As(err, &local) {
		_, _ = fmt.Fprintf(t.errors, "(%v)\n", err)
	}
}

// warn says what went wrong where the person can try again.
func (t talker) warn(err error) { _, _ = fmt.Fprintln(t.errors, kakunin.MessageFor(err, t.lang)) }

// progress says what stands in the way of a card.
func (t talker) progress(reason card.Reason) {
	if reason == card.ReasonCardAbsent {
		return // the person was asked for a card already
	}
	t.line(kakunin.MessageFor(&card.Error{Step: "wait for a card", Reason: reason}, t.lang))
}

// maxLine is the longest line that a person types.
const maxLine = 1 << 10

// ask prints a question and reads one line. A secret is not echoed.
func (t talker) ask(ctx context.Context, secret bool, ja, en string, args ...any) (string, error) {
	_, _ = fmt.Fprintf(t.errors, t.pick(ja, en)+": ", args...)
	restore := func() {}
	if secret {
		restore = t.hide()
	}
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	// Reading from a terminal cannot be interrupted; when ctx ends the program does, and this goroutine with it.
	go func() {
		line, err := t.lines.ReadString('\n')
		read <- result{line, err}
	}()
	var r result
	select {
	case r = <-read:
	case <-ctx.Done():
		r.err = ctx.Err()
	}
	restore()
	if secret || r.err != nil {
		_, _ = fmt.Fprintln(t.errors)
	}
	line := strings.TrimRight(r.line, "\r\n")
	switch {
	case ctx.Err() != nil:
		return "", problem("中止しました。", "Stopped.")
	case errors.Is(r.err, io.EOF) && line != "":
	case r.err != nil, len(line) > maxLine:
		return "", problem("入力がありません。", "Nothing was entered.")
	}
	return line, nil
}

// askSecret looks at the tries that are left before it asks for a PIN, warns of the last one, and returns the options
// with which the PIN may be presented.
func (p *program) askSecret(
	ctx context.Context,
	pin card.PIN,
	ja, en string,
) (secret string, with []card.Option, err error) {
	tries, err := p.card.Tries(ctx, pin)
	switch {
	case reasonOf(err) == card.ReasonTriesNotReported:
	case err != nil:
		return "", nil, err
	case tries == 0:
		return "", nil, &card.Error{Reason: card.ReasonPINBlocked, PIN: pin}
	case tries == 1:
		answer, err := p.talk.ask(
			ctx,
			false,
			"あと1回間違えるとロックされます。続けますか (yes/no)",
			"One more mistake locks it. Go on (yes/no)",
		)
		if err != nil {
			return "", nil, err
		}
		if answer != "yes" {
			return "", nil, problem("照合しませんでした。", "It was not tried.")
		}
		with = append(with, card.AllowLastTry())
	}
	secret, err = p.talk.ask(ctx, true, ja+"（残り%d回）", en+" (tries left: %d)", tries)
	return secret, with, err
}

// reasonOf returns the reason of an error of package card.
func reasonOf(err error) card.Reason {
	var e *card.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return card.ReasonUnknown
}
