package card

import (
	"fmt"

	"github.com/kakunin-go/kakunin/internal/fault"
)

// message returns the text for a person; the zero message leaves it to the family's.
func message(r Reason, p PIN, remaining int) fault.Message {
	ja, en := p.words()
	switch r {
	case ReasonPINFormat:
		fja, fen := p.form()
		return fault.Message{
			JA: ja + "は" + fja + "です。入力し直してください。",
			EN: "The " + en + " consists of " + fen + ". Please enter it again.",
		}
	case ReasonWrongPIN:
		m := fault.Message{JA: ja + "が違います。", EN: "The " + en + " is wrong."}
		if remaining > 0 {
			m.JA += fmt.Sprintf("あと%d回間違えるとロックされます。", remaining)
			m.EN += fmt.Sprintf(" Remaining tries before it is locked: %d.", remaining)
		}
		return m
	case ReasonPINBlocked:
		return fault.Message{
			JA: ja + "はロックされています。お住まいの市区町村の窓口などで再設定してください。",
			EN: "The " + en + " is locked. It can be reset at your municipal office.",
		}
	case ReasonLastTryRefused:
		return fault.Message{
			JA: ja + "をあと1回間違えるとロックされるため、照合を行いませんでした。正しい暗証番号を確かめてください。",
			EN: "One more mistake would lock the " + en + ", so it was not tried. Please make sure that you know it.",
		}
	case ReasonNotVerified:
		return fault.Message{JA: ja + "を入力してください。", EN: "Please enter the " + en + "."}
	default:
		return fixedMessage(r)
	}
}

func fixedMessage(r Reason) fault.Message {
	switch r {
	case ReasonNotMyNumberCard:
		return fault.Message{
			JA: "マイナンバーカードではないようです。マイナンバーカードを置いてください。",
			EN: "This does not seem to be a My Number Card. Please use your My Number Card.",
		}
	case ReasonApplicationMissing, ReasonFileMissing, ReasonChannelRefused:
		return fault.Message{
			JA: "このカードまたはスマートフォンでは、この機能を利用できません。",
			EN: "This card or phone does not offer this function.",
		}
	case ReasonNoCertificate:
		return fault.Message{
			JA: "このカードには必要な電子証明書が入っていません。",
			EN: "The certificate that is needed is not on this card.",
		}
	case ReasonDeactivated:
		return fault.Message{
			JA: "このカードは利用が停止されています。お住まいの市区町村の窓口にお問い合わせください。",
			EN: "This card has been suspended. Please contact your municipal office.",
		}
	case ReasonReaderUnavailable:
		return fault.Message{
			JA: "カードリーダーが見つかりません。接続を確認してください。",
			EN: "No card reader was found. Please check that it is connected.",
		}
	case ReasonCardAbsent:
		return fault.Message{
			JA: "カードを読み取れません。カードを置き直してください。",
			EN: "The card cannot be read. Please put it on the reader again.",
		}
	case ReasonTransportFailed:
		return fault.Message{
			JA: "カードとの通信に失敗しました。カードを動かさずに、もう一度お試しください。",
			EN: "Communication with the card failed. Please try again without moving the card.",
		}
	case ReasonCardBusy:
		return fault.Message{
			JA: "ほかのプログラムがカードを使用しています。しばらくしてからお試しください。",
			EN: "Another program is using the card. Please try again later.",
		}
	default:
		return fault.Message{}
	}
}

// words returns how the forms of the municipal office call the PIN.
func (p PIN) words() (ja, en string) {
	if t, ok := p.trait(); ok {
		return t.ja, t.en
	}
	return "暗証番号", "PIN"
}

// form says what the PIN consists of.
func (p PIN) form() (ja, en string) {
	t, _ := p.trait()
	if t.form == password {
		return "英字と数字を組み合わせた6〜16文字", "6 to 16 characters, letters as well as digits"
	}
	return fmt.Sprintf("%d桁の数字", t.form.digits()), fmt.Sprintf("%d digits", t.form.digits())
}
