package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"
	"strings"
	"unicode/utf8"

	"changerelay/internal/stream"
)

// A signer says in the audit trail whose hand it was.
type signer struct {
	As  string `placeholder:"NAME" help:"Who does this, for the audit trail; your user on this machine is kept beside it."`
	Why string `placeholder:"TEXT" help:"Why, for the audit trail."`
}

// check is what Validate of a command asks.
func (s signer) check() error {
	for _, f := range []struct{ flag, text string }{{"--as", s.As}, {"--why", s.Why}} {
		if n := utf8.RuneCountInString(f.text); n > maxText {
			return fmt.Errorf("%s: has %d characters; at most %d are kept", f.flag, n, maxText)
		}
	}
	return nil
}

// sign begins an audit record. What is claimed, what the machine says and what
// the broker says stand beside each other.
func (s signer) sign(ctx context.Context, b *broker) stream.Audit {
	a := stream.Audit{Who: strings.TrimSpace(s.As), User: osUser(), Why: s.Why, NATS: b.user(ctx)}
	if a.Who == "" {
		a.Who = a.User
	}
	if a.Host, _ = os.Hostname(); a.Host == "" {
		a.Host = "unknown"
	}
	return a
}

// osUser is the user of this process; a container's often has a number only.
func osUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}

// user is who the broker takes us for, "" if it has no users or does not say.
func (b *broker) user(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, userWithin)
	defer cancel()
	m, err := b.nc.RequestWithContext(ctx, "$SYS.REQ.USER.INFO", nil)
	if err != nil {
		return ""
	}
	var v struct {
		Data struct{ User string }
	}
	_ = json.Unmarshal(m.Data, &v)
	return v.Data.User
}

// errNobody reports that a question cannot be asked.
var errNobody = errors.New("nothing was done: standard input is no terminal, so nobody can be asked; if the above is what you want, add --yes")

// errNo reports the answer to a question.
var errNo = errors.New("nothing was done: the answer was not yes")

// confirm asks a question on a terminal and returns nil if the answer is yes.
func confirm(ctx context.Context, in io.Reader, to io.Writer, question string) error {
	f, ok := in.(*os.File)
	if !ok {
		return errNobody
	}
	if i, err := f.Stat(); err != nil || i.Mode()&os.ModeCharDevice == 0 {
		return errNobody
	}
	fmt.Fprintf(to, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() { // a read cannot be interrupted; the process ends anyway
		line, _ := bufio.NewReader(f).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case a := <-answer:
		if a == "y" || a == "yes" {
			return nil
		}
		return errNo
	case <-ctx.Done():
		return ctx.Err()
	}
}
