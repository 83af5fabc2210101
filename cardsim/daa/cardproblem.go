package daa

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// cardProblem turns what the card or the certificate check said into a page.
func (s *Service) cardProblem(ctx context.Context, v *visit, err error) {
	var refused *card.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == card.ReasonWrongPIN:
		v.notice, v.remaining = noticeWrongSecret, max(0, refused.Remaining) // -1 when the card does not tell
	case errors.As(err, &refused) && refused.Reason == card.ReasonPINBlocked:
		v.end(page.Blocked)
		v.blocked = refused.PIN
	case errors.Is(err, errCertificate):
		v.end(page.Certificate)
	case errors.As(err, &refused) && refused.Reason == card.ReasonNoCertificate && v.stage == stageSigningPassword:
		v.end(page.NoSigning)
	case errors.Is(err, errRealCard):
		v.end(page.RealCard)
	case errors.Is(err, errExchanged):
		v.notice = noticeExchanged
	case errors.As(err, &refused) && v.hand != nil && v.hand.reader != nil && waitsForCard[refused.Reason]:
		v.notice = noticeReader
		v.readerSays = refused.UserMessage()
	default:
		// The error's type, not its text: what a card or a parser says may hold personal data.
		s.log.ErrorContext(ctx, "card could not be used", slog.String("type", fmt.Sprintf("%T", err)))
		v.end(page.CardFault)
	}
}

// waitsForCard are the reasons after which the person puts the card there and tries again.
var waitsForCard = map[card.Reason]bool{
	card.ReasonReaderUnavailable: true, card.ReasonCardAbsent: true, card.ReasonCardBusy: true,
	card.ReasonCardReset: true, card.ReasonNotMyNumberCard: true, card.ReasonTransportFailed: true,
	card.ReasonInterrupted: true,
}

// blockedNames are the names under which the templates know a reference.
var blockedNames = map[card.PIN]string{
	card.AuthPIN: "auth-pin", card.TextPIN: "text-pin", card.SigningPIN: "signing-password",
}

func noticeText(f frame, n notice, at stage, remaining int) string {
	switch n {
	case noticeWrongSecret:
		wrong := f.T("暗証番号が違います。", "The PIN is not correct. ")
		if at == stageSigningPassword {
			wrong = f.T("暗証番号が違います。", "The password is not correct. ")
		}
		switch remaining {
		case 0: // the card does not tell
			return wrong
		case 1:
			return wrong + f.T("あと1回まちがえるとロックされます。続ける前にご確認ください。",
				"The card locks after 1 more wrong attempt. Please make sure before you continue.")
		default:
			return wrong + f.T(fmt.Sprintf("あと%d回まちがえるとロックされます。", remaining),
				fmt.Sprintf("The card locks after %d more wrong attempts.", remaining))
		}
	case noticeMalformed:
		return f.T("桁数または使える文字が違います。カードには送っていません。",
			"The number of characters or the characters are not right. Nothing was sent to the card.")
	case noticeChooseCard:
		return f.T("カードを選んでください。", "Please choose a card.")
	case noticeNumberWrong:
		return f.T("番号が違います。スマートフォンに表示された6桁の番号を入力してください。",
			"That is not the number. Please type the six digits that the phone shows.")
	case noticeNumberExpired:
		return f.T("番号の有効期限が切れました。スマートフォンで新しい番号を表示してください。",
			"The number has expired. Please show a new one on the phone.")
	case noticeExchanged:
		return f.T("最初に読み取ったカードと違います。同じカードを置いてください。",
			"This is not the card that was read first. Please use that one.")
	case noticePhoneFirst:
		return f.T("先にスマートフォンで操作を完了してください。", "Please finish on the phone first.")
	case noticeNone, noticeReader: // the second one says itself what it is
	}
	return ""
}
