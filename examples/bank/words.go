package main

import (
	"fmt"
	"strings"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
)

func say(lang, key string) string { return words[key].In(kakunin.Language(lang)) }

// place says in words where a finding is: people count characters from 1.
func place(lang string, s fourinfo.Span) string {
	switch s.To - s.From {
	case 0:
		return fmt.Sprintf(say(lang, "before"), s.To+1)
	case 1:
		return fmt.Sprintf(say(lang, "character"), s.To)
	default:
		return fmt.Sprintf(say(lang, "characters"), s.From+1, s.To)
	}
}

func itemWords(lang string, items []law.Item) (texts []string) {
	for _, i := range items {
		texts = append(texts, say(lang, string(i)))
	}
	return texts
}

func list(lang string, texts []string) string {
	if len(texts) == 0 {
		return say(lang, "none")
	}
	return strings.Join(texts, say(lang, "comma"))
}

// words are the texts in both languages, by key. Outcomes, reasons and items are keys, too.
var words = map[string]kakunin.Message{
	"notice": {
		JA: "架空銀行の口座開設（サービスとカードは模擬のもので、人物は架空です）",
		EN: "Account opening at Fictitious Bank (simulated service and card, synthetic person)",
	},
	"none":  {JA: "なし", EN: "none"},
	"comma": {JA: "、", EN: ", "},

	"application": {JA: "申込書（読んだ文面にそのまま署名）", EN: "Application (what is read is what is signed)"},
	"application.title": {
		JA: "架空銀行 普通預金口座 開設申込書（架空の文書）",
		EN: "Fictitious Bank: application for a savings account (fictitious document)",
	},
	"application.apply":      {JA: "私は、普通預金口座の開設を申し込みます。", EN: "I apply for a savings account."},
	"application.reason":     {JA: "取引を行う目的: ", EN: "Purpose of the transactions: "},
	"application.occupation": {JA: "職業: ", EN: "Occupation: "},
	"application.person": {
		JA: "氏名・住居・生年月日は、署名用電子証明書のとおりです。",
		EN: "Name, residence and birthdate are as in my signing certificate.",
	},
	"application.number": {JA: "申込番号: ", EN: "Application number: "},
	"application.time":   {JA: "作成日時: ", EN: "Created: "},

	"signature": {JA: "署名の検証", EN: "Signature"},
	"signature.held": {
		JA: "この文面への署名であり、証明書は信頼する認証局が発行し、失効していません。",
		EN: "It is over this text; the certificate comes from a trusted authority and is not revoked.",
	},

	"signature.operator": {
		JA: "プラットフォーム事業者が署名と証明書を検証しました。検証番号: %s",
		EN: "The platform operator verified signature and certificate. Verification: %s",
	},

	"person.certificate": {
		JA: "本人の照合（入力された内容と署名用電子証明書）",
		EN: "Person: what the customer typed and the signing certificate",
	},
	"person.service": {
		JA: "本人の照合（入力された内容と認証サービスの基本４情報）",
		EN: "Person: what the customer typed and the attributes from the service",
	},
	"service":     {JA: "サービス", EN: "service"},
	"typed":       {JA: "入力", EN: "typed"},
	"certificate": {JA: "証明書", EN: "certificate"},
	"before":      {JA: "%d文字目の前", EN: "before character %d"},
	"character":   {JA: "%d文字目", EN: "character %d"},
	"characters":  {JA: "%d〜%d文字目", EN: "characters %d to %d"},
	"name":        {JA: "氏名", EN: "name"},
	"address":     {JA: "住居", EN: "residence"},
	"birthdate":   {JA: "生年月日", EN: "birthdate"},
	"reason":      {JA: "取引を行う目的", EN: "purpose of the transactions"},
	"occupation":  {JA: "職業", EN: "occupation"},

	"law":         {JA: "法令の確認事項", EN: "What the law asks"},
	"law.method":  {JA: "確認方法", EN: "method"},
	"law.missing": {JA: "不足", EN: "missing"},
	"law.review":  {JA: "要確認", EN: "to be reviewed"},
	"law.keep": {
		JA: "保存: %[1]s — %[3]sから%[2]d年（%[4]s）",
		EN: "keep: %[1]s for %[2]d years, which begin with: %[3]s (%[4]s)",
	},
	"law.notice": {JA: "これは情報であり、法的助言ではありません。", EN: "This is information, not legal advice."},

	"evidence":      {JA: "証跡", EN: "Evidence"},
	"evidence.none": {JA: "記録していません。", EN: "No record was kept."},
	"evidence.kept": {
		JA: "追記し、全記録（%d件）を検証しました。ハッシュ木の根: %s",
		EN: "Appended; all %d records were verified. Root of the tree: %s",
	},
	"evidence.archive": {
		JA: "保管庫: 認証局の証明書などのファイル%d件、タイムスタンプ%d件",
		EN: "Archive: files such as the authority's certificate: %d; timestamps: %d",
	},

	"earlier": {JA: "前回の起動で終わらなかった申込み", EN: "Applications that an earlier start did not finish"},

	"opened":      {JA: "結果: 口座を開設しました", EN: "Result: the account was opened"},
	"refused":     {JA: "結果: 開設できません", EN: "Result: refused"},
	"needs-human": {JA: "結果: 担当者の判断が必要です", EN: "Result: a human has to decide"},

	"waiting":  {JA: "結果: まだ終わっていません", EN: "Result: not finished yet"},
	"recorded": {JA: "結果: 記録まで終わっていました", EN: "Result: it was finished but for this note"},

	"complete":         {JA: "すべての確認事項を満たしています。", EN: "Everything that is asked for was confirmed."},
	"person-different": {JA: "入力された内容が証明書と異なります。", EN: "What was typed is not what the certificate says."},
	"person-review":    {JA: "一致するか機械では判断できない項目があります。", EN: "A machine cannot tell whether every item agrees."},
	"not-declared": {
		JA: "署名された文面に申告事項が足りません。申込みをやり直してください。",
		EN: "The signed text lacks a declaration. Please apply again.",
	},
	"law-refused": {JA: "法令の求める条件を満たしません。", EN: "The law does not allow it."},
	"law-review": {
		JA: "法令の確認事項に、担当者の確認が必要なものがあります。",
		EN: "The law asks for something that a human has to look at.",
	},

	"recorded-before": {JA: "証跡に記録があります。", EN: "The evidence has its record."},
	"lost": {
		JA: "署名の結果を受け取れませんでした。もう一度署名していただく必要があります。",
		EN: "The result of the signature was lost. The customer has to sign again.",
	},
	"later": {JA: "次回の起動で続けます。", EN: "The next start goes on with it."},
	"given-up": {
		JA: "30日のあいだ検証できなかったため、終了しました。",
		EN: "It could not be verified for 30 days, and is closed.",
	},
	"other-business": {
		JA: "別の事業者区分で受け付けた申込みです。",
		EN: "It was made with the other -business.",
	},
	"failed": {JA: "手続きを完了できませんでした。", EN: "The procedure could not be completed."},

	"batch":      {JA: "顧客ファイルの照合（件数のみ）: %d件", EN: "Two files of customers, compared (counts only): %d"},
	"batch.rest": {JA: "  片方のファイルだけにある: %d\n  使えない行: %d", EN: "  in one file only: %d\n  unusable lines: %d"},
}
