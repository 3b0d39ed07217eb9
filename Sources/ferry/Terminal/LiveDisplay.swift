/// Shows snapshots as they come: redrawn in place on a terminal, a line per change anywhere else.
///
/// One frame is one write, each line is overwritten and then cleared to its end, so nothing flickers.
struct LiveDisplay {
    private let terminal: Terminal
    /// Lines of the last frame, which the next one overwrites.
    private var drawnLines = 0
    private var lastChange: Change?

    /// What has to differ before a pipe gets a new line.
    private struct Change: Equatable {
        var status: String
        /// Tenths of the people and of the items.
        var people: Int
        var items: Int
    }

    init(on terminal: Terminal) { self.terminal = terminal }

    mutating func show(_ snapshot: ProgressSnapshot) {
        let renderer = ProgressRenderer(
            width: terminal.columns, isUnicode: terminal.isUnicode, style: terminal.style)
        guard terminal.isInteractive else {
            let expected = snapshot.lines.reduce(0) { $0 + ($1.itemsExpected ?? 0) }
            let items = snapshot.lines.reduce(0) { $0 + $1.items }
            let change = Change(
                status: snapshot.status,
                people: Quantity.percent(Int64(snapshot.peopleDone), of: Int64(snapshot.people)) / 10,
                items: Quantity.percent(items, of: expected) / 10)
            if change != lastChange { terminal.print(renderer.summary(snapshot)) }
            lastChange = change
            return
        }
        let lines = renderer.lines(snapshot)
        // Back to the first line of the last frame, draw, clear what is left below. The cursor stays visible, so that
        // an interrupt at any moment leaves a usable terminal.
        var frame = drawnLines > 0 ? "\u{1B}[\(drawnLines)F" : ""
        for line in lines { frame += line + "\u{1B}[K\n" }
        terminal.write(frame + "\u{1B}[J")
        drawnLines = lines.count
    }

    /// Leaves the last frame standing; the next one begins below it.
    mutating func finish() { drawnLines = 0 }
}
