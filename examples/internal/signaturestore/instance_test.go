package signaturestore

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// instanceVariable holds the settings of a process that is an instance of an application and not a test.
const instanceVariable = "KAKUNIN_SIGNATURES_INSTANCE"

// settings are all that an instance knows: nothing survives in it.
type settings struct {
	Service string // base URL
	KeyFile string // of the client
	Store   string
	Gate    string // host:port through which it reaches the service, empty: directly
}

const (
	clientID    = "RP00000001"
	redirectURL = "https://shop.example/auth/callback"
	agreement   = "利用規約に同意します。\n文書番号 %d\n"
)

func (s settings) login(now func() time.Time) (*authn.Client, error) {
	key, err := authn.LoadKey(s.KeyFile)
	if err != nil {
		return nil, err
	}
	c := authn.Config{
		Environment: authn.Custom(s.Service), ClientID: clientID, Key: key, RedirectURL: redirectURL, Now: now,
	}
	if s.Gate != "" {
		c.HTTPClient = &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.Gate)
			},
		}}
	}
	return authn.New(c)
}

func newKeeper(login *authn.Client, store signapi.Store, now func() time.Time) (*signapi.Keeper, error) {
	client, err := signapi.New(signapi.Config{Client: login, Now: now})
	if err != nil {
		return nil, err
	}
	keys, err := evidence.NewLocalKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		return nil, err
	}
	return signapi.NewKeeper(signapi.KeeperConfig{Client: client, Store: store, Keys: keys})
}

// signForever has documents signed until the process is killed. It says on standard output what it does, and reads from
// standard input what the browser brings back.
func signForever(text string) error {
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	login, err := s.login(time.Now)
	if err != nil {
		return err
	}
	keeper, err := newKeeper(login, mustOpen(s.Store), time.Now)
	if err != nil {
		return err
	}
	callbacks := bufio.NewScanner(os.Stdin)
	for i := 1; ; i++ {
		if err := signOne(context.Background(), login, keeper, i, callbacks); err != nil {
			return err
		}
	}
}

func signOne(
	ctx context.Context, login *authn.Client, keeper *signapi.Keeper, number int, callbacks *bufio.Scanner,
) error {
	begun, err := beginOne(ctx, login, keeper, number)
	if err != nil {
		return err
	}
	fmt.Println("visit", begun.URL)
	if !callbacks.Scan() {
		return errors.New("the browser is gone")
	}
	id, err := begun.finish(ctx, login, callbacks.Text())
	if err != nil {
		return err
	}
	fmt.Println("ask", begun.tx.ID)
	res, err := keeper.Fetch(ctx, begun.tx, id)
	if err != nil {
		return err
	}
	fmt.Println("kept", begun.tx.ID, sumOf(res))
	if number%4 == 0 {
		fmt.Println("close", begun.tx.ID)
		return keeper.Close(ctx, begun.tx.ID)
	}
	return nil
}

// begunOne is a document whose person is sent to the service.
type begunOne struct {
	authn.Begun
	tx *sign.Transaction
}

func beginOne(ctx context.Context, login *authn.Client, keeper *signapi.Keeper, number int) (begunOne, error) {
	kept, err := keeper.Start(ctx, signapi.Request{
		Document: sign.Text(fmt.Sprintf(agreement, number)), Mode: sign.ModeDigestInfo, Reference: fmt.Sprint(number),
	})
	if err != nil {
		return begunOne{}, err
	}
	tx, err := keeper.HandOver(ctx, kept.Transaction.ID)
	if err != nil {
		return begunOne{}, err
	}
	begun, err := login.Begin(ctx, authn.Request{Sign: tx})
	return begunOne{begun, tx}, err
}

// finish redeems what the browser brings back.
func (b begunOne) finish(ctx context.Context, login *authn.Client, callback string) (*authn.Identity, error) {
	u, err := url.Parse(callback)
	if err != nil {
		return nil, err
	}
	return login.Finish(ctx, b.Pending, u.Query())
}

// sumOf recognises a result.
func sumOf(res *signapi.Unverified) string {
	sum := sha256.Sum256(append(res.Opened.RevealSignature(), res.Opened.RevealCertificate()...))
	return fmt.Sprintf("%x", sum)
}
