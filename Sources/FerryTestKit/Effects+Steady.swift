package import FerryEngine

extension Effects {
    /// Time by the clock; identifiers and chance are the same in each run.
    package static func steady(_ clock: VirtualClock) -> Effects {
        let random = SharedRandom(seed: 1)
        return Effects(
            now: { clock.instant }, clock: clock, makeGUID: { random.makeGUID() }, random: { random.fraction() })
    }
}
