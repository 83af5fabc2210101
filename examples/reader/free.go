package main

import (
	"context"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// free shows what needs no PIN. Expiry and municipality are personal: the card ends on the holder's birthday.
func (p *program) free(ctx context.Context) error {
	t := p.talk
	t.say("カード", "Card")
	kinds := map[card.TokenKind][2]string{
		card.Plastic:      {"マイナンバーカード", "My Number Card"},
		card.AndroidPhone: {"スマホ用電子証明書 (Android)", "certificates on a phone (Android)"},
		card.IPhone:       {"スマホ用電子証明書 (iPhone)", "certificates on a phone (iPhone)"},
		card.Juki:         {"住民基本台帳カード", "resident register card"},
	}
	kind, ok := kinds[p.card.Kind()]
	if !ok {
		kind = [2]string{"不明", "unknown"}
	}
	t.item("種類: %s", "kind: %s", t.pick(kind[0], kind[1]))
	if token, err := p.card.TokenInformation(ctx); err == nil {
		t.item(
			"型番: %s、ハードウェア %s、ファームウェア %s",
			"model: %s, hardware %s, firmware %s",
			token.Model,
			token.HardwareVersion,
			token.FirmwareVersion,
		)
	}
	available, err := p.certificates(ctx)
	if err != nil {
		return err
	}
	if err := p.tries(ctx, available); err != nil {
		return err
	}
	return p.record(ctx)
}

// certificates shows which certificates there are, and the one that everybody may read.
func (p *program) certificates(ctx context.Context) (card.Availability, error) {
	t := p.talk
	t.say("電子証明書", "Certificates")
	available, err := p.card.Availability(ctx)
	if err != nil {
		return available, err
	}
	t.item("署名用: %s", "for signatures: %s", t.yes(available.Signing))
	t.item("利用者証明用: %s", "for authentication: %s", t.yes(available.Authentication))
	der, err := p.card.AuthCertificate(ctx)
	switch reasonOf(err) {
	case card.ReasonNotVerified:
		t.item("利用者証明用電子証明書は暗証番号で保護されています。", "The authentication certificate is behind its PIN.")
		return available, nil
	case card.ReasonNoCertificate:
		return available, nil
	default:
		if err != nil {
			return available, err
		}
	}
	certificate, err := jpki.ParseCertificate(der)
	if err != nil {
		return available, err
	}
	now := p.now()
	valid := !now.Before(certificate.ValidFrom()) && !now.After(certificate.ValidUntil())
	t.item("利用者証明用電子証明書は有効期間内: %s", "authentication certificate within its validity: %s", t.yes(valid))
	if p.showPersonal {
		t.item("有効期限: %s", "valid until: %s", certificate.ValidUntil().UTC().Format("2006-01-02 15:04:05 MST"))
	}
	return available, nil
}

// tries shows how often each PIN may still be mistyped.
func (p *program) tries(ctx context.Context, available card.Availability) error {
	t := p.talk
	t.say("暗証番号の残り回数", "Tries left")
	for _, row := range []struct {
		pin    card.PIN
		ja, en string
	}{
		{card.AuthPIN, "利用者証明用電子証明書", "authentication certificate"},
		{card.SigningPIN, "署名用電子証明書", "signing certificate"},
		{card.TextPIN, "券面事項入力補助用", "four attributes"},
		{card.ResidentPIN, "住民基本台帳用", "resident register"},
	} {
		if row.pin == card.SigningPIN && !available.Signing {
			continue // no password was ever set
		}
		n, err := p.card.Tries(ctx, row.pin)
		switch reasonOf(err) {
		case card.ReasonApplicationMissing, card.ReasonFileMissing:
			continue
		case card.ReasonTriesNotReported:
			t.item(row.ja+": 不明", row.en+": unknown")
			continue
		default:
			if err != nil {
				return err
			}
		}
		if n == 0 {
			t.item(row.ja+": ロックされています", row.en+": locked")
			continue
		}
		t.item(row.ja+": %d", row.en+": %d", n)
	}
	return nil
}

// record shows what the card says of itself: shown only if asked for, because it tells of the holder.
func (p *program) record(ctx context.Context) error {
	if !p.showPersonal {
		return nil
	}
	t := p.talk
	record, err := p.card.CardRecord(ctx)
	switch reasonOf(err) {
	case card.ReasonApplicationMissing, card.ReasonFileMissing:
		return nil
	default:
		if err != nil {
			return err
		}
	}
	t.say("券面", "Printed on the card")
	t.item("製造番号: %s", "serial number: %s", record.RevealSerialNumber())
	t.item("市区町村コード: %s", "municipality: %s", record.Municipality)
	t.item("カードの有効期限: %s", "card valid until: %s", record.Expiry)
	return nil
}
