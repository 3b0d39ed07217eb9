/// A conversation: what people in offices write to each other.
///
/// `{to}` is the given name of whom it goes to, `{from}` the writer's, `{project}` the project, `{n}` a number.
struct Story: Sendable {
    var charset: Charset
    var subject: String
    /// One text per message, in turn; paragraphs are separated by blank lines.
    var messages: [String]

    init(_ charset: Charset, _ subject: String, _ messages: [String]) {
        self.charset = charset
        self.subject = subject
        self.messages = messages
    }
}

enum Stories {
    static let projects = [
        "Alpine", "Blue Harbour", "Café", "Delta", "Ελιά", "Fjord", "Größenwahn", "Horizon", "Ivory", "Juniper",
        "Маяк", "Northlight", "Orchard", "桜", "Québec", "Riverside",
    ]

    static let conversations: [Story] = [
        Story(
            .utf8, "{project}: agenda for Thursday",
            [
                "Hi {to},\n\nI put together a first agenda for Thursday. Three points: budget, open risks, and who "
                    + "writes the summary. Anything missing?\n\nThanks\n{from}",
                "Hello {from},\n\nlooks good. Please add ten minutes for the supplier in Antwerp, they moved the "
                    + "delivery again.\n\n{to}",
                "Added. Room 4.{n} is ours from nine on. See you there 👋",
            ]),
        Story(
            .utf8, "Numbers for the quarter",
            [
                "{to},\n\nthe figures for {project} are in the attachment. We are {n} percent over plan on travel and "
                    + "under on everything else.\n\nCould you check the second sheet before I send it up?\n\n{from}",
                "Checked. Line {n} counts the training twice, the rest adds up. Send it.\n\n{to}",
            ]),
        Story(
            .utf8, "Can you cover for me on Friday?",
            [
                "Hey {to}, my daughter's school play is on Friday afternoon 🎭 Could you take the support shift from "
                    + "two to five?",
                "Of course. Have fun, and take pictures!",
                "You are the best. I owe you a coffee ☕",
            ]),
        Story(
            .latin1, "Rückfrage zum Angebot {n}",
            [
                "Guten Morgen {to},\n\nim Angebot für {project} fehlt noch die Größe der Räume im zweiten Stock. "
                    + "Könntest du das bitte bis Mittwoch nachtragen?\n\nSchöne Grüße\n{from}",
                "Hallo {from},\n\nist ergänzt, die Pläne hängen an. Die Maße stimmen bis auf zwei Zentimeter.\n\n"
                    + "Viele Grüße\n{to}",
                "Perfekt, danke! Dann geht es heute hinaus.",
            ]),
        Story(
            .latin1, "Déménagement du bureau",
            [
                "Bonjour {to},\n\nles déménageurs passeront mardi à huit heures. Merci de vider ton armoire avant "
                    + "lundi soir et d'étiqueter les cartons.\n\nÀ bientôt\n{from}",
                "Bonjour {from},\n\nc'est noté. Il me faudrait {n} cartons de plus, s'il t'en reste.\n\n{to}",
            ]),
        Story(
            .latin1, "Reunión con el proveedor",
            [
                "Hola {to}:\n\n¿puedes venir a la reunión con el proveedor el miércoles? Quieren hablar del precio y "
                    + "de la garantía.\n\nUn saludo\n{from}",
                "Sí, sin problema. Llevo los números del año pasado.\n\n{to}",
            ]),
        Story(
            .koi8r, "Отчёт за неделю",
            [
                "Добрый день!\n\nОтправляю отчёт за прошлую неделю. Первый этап закончен, осталось {n} задач. "
                    + "Посмотрите, пожалуйста, до четверга.\n\nС уважением,\n{from}",
                "Спасибо, всё понятно. Один вопрос: когда приедут новые серверы?",
                "В понедельник утром, если не будет снега.",
            ]),
        Story(
            .iso2022jp, "会議の資料について",
            [
                "田中様\n\n明日の会議の資料を送付します。午前十時半に開始します。ご確認をお願い致します。\n\n佐藤",
                "承知しました。移行計画の第一段階について、本日中に報告します。",
            ]),
        Story(
            .iso2022jp, "昼食",
            ["駅前に新しいお店ができました。明日、いっしょに行きませんか？", "楽しそう！行きます。"]),
        Story(
            .utf8, "Πρόσκληση σε δείπνο",
            [
                "Αγαπητοί συνάδελφοι,\n\nσας περιμένουμε το Σάββατο στις οκτώ στην ταβέρνα δίπλα στο λιμάνι. "
                    + "Πείτε μου μέχρι την Πέμπτη ποιοι θα έρθετε.\n\n{from}",
                "Θα έρθουμε δύο. Ευχαριστούμε πολύ!",
            ]),
        Story(
            .utf8, "جدول الاجتماعات",
            [
                "مرحبا {to}،\n\nأرسلت لك جدول الاجتماعات للشهر القادم. الرجاء تأكيد المواعيد قبل يوم الخميس.\n\n"
                    + "مع التحية\n{from}",
                "شكرا، كل المواعيد مناسبة.",
            ]),
        Story(
            .utf8, "סיכום הישיבה",
            [
                "שלום {to},\n\nמצורף סיכום הישיבה מיום ראשון. נשארו {n} נושאים פתוחים לשבוע הבא.\n\nבברכה,\n{from}",
                "תודה! אני מטפל בשני הראשונים.",
            ]),
        Story(
            .utf8, "Who broke the build 😅",
            [
                "Main has been red for {n} minutes. The failing test is in {project}, something with time zones.",
                "That was me, sorry. Summer time again. A fix is on its way.",
                "Green again 💚 Thank you!",
                "Adding a test so that it stays that way.",
            ]),
        Story(
            .utf8, "Contract renewal, {project}",
            [
                "Dear {to},\n\nthe contract with our partner ends in {n} weeks. Legal proposes to extend it by a year "
                    + "with the same terms, except for clause 7 (liability).\n\nPlease let me know whether you agree; "
                    + "I attach the draft.\n\nKind regards\n{from}",
                "Dear {from},\n\nagreed, with one remark on clause 7: the cap should be per event.\n\nRegards\n{to}",
            ]),
        Story(
            .utf8, "Fotos vom Ausflug",
            [
                "Hallo zusammen,\n\nhier ein paar Bilder vom Ausflug an den See 🏞️ Wer noch welche hat: bitte her "
                    + "damit!\n\n{from}",
                "Wunderschön! Das dritte kommt an die Wand.",
            ]),
        Story(
            .utf8, "Sprawozdanie i plan na przyszły tydzień",
            [
                "Cześć {to},\n\nw załączniku plan na przyszły tydzień. Najważniejsze: w środę przyjeżdża "
                    + "klient z Łodzi.\n\nPozdrawiam\n{from}",
                "Dzięki, zarezerwuję salę.",
            ]),
    ]

    /// What arrives from outside: one message each, nobody answers.
    static let notices: [Story] = [
        Story(
            .utf8, "Invoice {n}",
            [
                "Dear customer,\n\nplease find invoice {n} attached. It is payable within 30 days.\n\n"
                    + "Northgate, accounts receivable"
            ]),
        Story(
            .utf8, "This week: five things worth reading",
            [
                "1. Why meetings end late\n2. A field guide to time zones\n3. Bread, {n} ways\n4. The lighthouse that "
                    + "moved\n5. Letters from readers\n\nYou get this because you subscribed."
            ]),
        Story(
            .latin1, "Ihre Reservierung {n}",
            [
                "Guten Tag,\n\nIhre Reservierung für zwei Nächte ist bestätigt. Das Frühstück ist inbegriffen.\n\nNordwind Reisen"
            ]),
        Story(
            .koi8r, "Выписка по счёту",
            ["Уважаемый клиент!\n\nВыписка по счёту {n} готова. Её можно получить в личном кабинете."]),
        Story(
            .utf8, "Your book is due in {n} days",
            ["The Sea, the Sea\n\nRenew it online or bring it back. City Library"]),
        Story(
            .utf8, "Appointment confirmed ✅",
            ["Your appointment is confirmed. Please come {n} minutes early and bring your card.\n\nDr. Levi's practice"]
        ),
        Story(.iso2022jp, "写真の共有", ["旅行の写真を共有します。週末に電話します。"]),
    ]

    static let signatures = [
        "Contoso Ltd · Harbour Street 12 · Rotterdam", "Sent from my phone", "Contoso. We move things.",
    ]

    static let notes = [
        "Remember: the key to the archive is with the front desk.", "Ask about the second quote before Friday.",
        "Idee: die Einführung in zwei Schritten machen, erst die Außenstellen.", "Купить билеты на поезд.",
        "Draft of the speech for the anniversary — keep it under three minutes.", "来週の旅行：切符、写真、電話番号。",
        "Questions for the interview: why us, why now, what was hard?", "Πάρε τηλέφωνο τον λογιστή.",
    ]
}
