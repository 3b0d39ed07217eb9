extension Migration {
    /// One index per property by which lists of jobs are commonly filtered or ordered, so that a page costs the same
    /// whether a tenant has a thousand jobs or a hundred thousand. What `JobWalk` says decides which one is used.
    static let jobFilters = Migration(
        number: 2, name: "job-filters",
        sql: """
            -- In the default order within one value.
            CREATE INDEX job_status ON job (target_tenant, status, created DESC, id) WHERE status <> 'deleted';
            CREATE INDEX job_creator ON job (target_tenant, created_by, created DESC, id) WHERE status <> 'deleted';
            CREATE INDEX job_type ON job (target_tenant, type, created DESC, id) WHERE status <> 'deleted';
            -- For ranges, and for the orders of these names.
            CREATE INDEX job_display_name ON job (target_tenant, display_name, id) WHERE status <> 'deleted';
            CREATE INDEX job_folded_name ON job (target_tenant, folded_name) WHERE status <> 'deleted';
            CREATE INDEX job_updated ON job (target_tenant, updated, id) WHERE status <> 'deleted';
            CREATE INDEX job_complete_after ON job (target_tenant, complete_after, id) WHERE status <> 'deleted';
            """)
}
