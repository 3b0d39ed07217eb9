<#
.SYNOPSIS
Moves one wave of people with Microsoft's own cmdlets: create, validate, migrate, watch, report.

.EXAMPLE
Install-Module Microsoft.Graph.Authentication, Microsoft.Graph.Beta.Migrations
$env:FERRY_TOKEN = ferry token --config ferry.yaml --tenant 22222222-2222-2222-2222-222222222222 --user admin@fabrikam.example
./Move-Wave.ps1 -Server https://ferry.example.org -People wave.csv -Name wave-1 `
    -Source 11111111-1111-1111-1111-111111111111 -Endpoint EXOHandler -DeliveryDomain fabrikam.example -Date 2031-03-01T06:00:00Z
#>
param(
    # Address of the server, without a path.
    [Parameter(Mandatory)] [uri] $Server,
    # CSV file with a column id: object ids of people in the target tenant.
    [Parameter(Mandatory)] [string] $People,
    [Parameter(Mandatory)] [string] $Name,
    [Parameter(Mandatory)] [guid] $Source,
    [Parameter(Mandatory)] [string] $Endpoint,
    [Parameter(Mandatory)] [string] $DeliveryDomain,
    # Earliest moment of the cutover.
    [Parameter(Mandatory)] [datetimeoffset] $Date,
    # Seconds between two looks.
    [int] $Interval = 5
)
$ErrorActionPreference = 'Stop'

# An environment of its own: the cmdlets then send to this server instead of Microsoft's.
if (-not (Get-MgEnvironment | Where-Object Name -EQ 'Ferry')) {
    Add-MgEnvironment -Name Ferry -GraphEndpoint $Server -AzureADEndpoint $Server | Out-Null
}
Connect-MgGraph -Environment Ferry -NoWelcome `
    -AccessToken (ConvertTo-SecureString $env:FERRY_TOKEN -AsPlainText -Force)

# Polls the job, tells every change of its status, and returns the one behind those.
function Watch-Job([string] $Id, [string[]] $Through) {
    $told = $null
    while ($true) {
        $job = Get-MgBetaCrossTenantMigrationJob -CrossTenantMigrationJobId $Id
        if ($job.Status -ne $told) {
            $told = $job.Status
            Write-Host "$(Get-Date -Format HH:mm:ss) ${told}: $($job.Message)"
        }
        if ($told -notin $Through) { return $told }
        Start-Sleep -Seconds $Interval
    }
}

# Some versions of the cmdlets show enum members with a capital letter; -in and -eq compare without case.
$checking = 'validateSubmitted', 'validateProcessing', 'validateInProgress'
$moving = 'processing', 'inProgress', 'cuttingOver', 'pendingCancel'

# A name is a key too, so running the script twice makes one job.
$job = Get-MgBetaCrossTenantMigrationJob -CrossTenantMigrationJobId $Name -ErrorAction SilentlyContinue
if (-not $job) {
    $job = New-MgBetaCrossTenantMigrationJob -BodyParameter @{
        displayName           = $Name
        resourceType          = 'Users'
        sourceTenantId        = "$Source"
        completeAfterDateTime = $Date.UtcDateTime.ToString('yyyy-MM-ddTHH:mm:ssZ')
        resources             = @((Import-Csv $People).id)
        workloads             = @('Exchange', 'Meeting', 'Teams', 'ODSP')
        exchangeSettings      = @{ sourceEndpoint = $Endpoint; targetDeliveryDomain = $DeliveryDomain }
    }
}
Write-Host "$($job.DisplayName) is $($job.Id)"

if ($job.Status -in 'submitted', 'validateFailed') {
    Test-MgBetaCrossTenantMigrationJob -CrossTenantMigrationJobId $job.Id | Out-Null
}
$status = Watch-Job $job.Id $checking
if ($status -eq 'validatePassed') {
    Move-MgBetaCrossTenantMigrationJob -CrossTenantMigrationJobId $job.Id | Out-Null
}
$status = Watch-Job $job.Id $moving

# A line for each person and workload.
Get-MgBetaCrossTenantMigrationJobUser -CrossTenantMigrationJobId $job.Id -All | ForEach-Object {
    $id = $_.Id
    $_.CurrentStatus | Select-Object @{ n = 'User'; e = { $id } }, Service, Status,
        @{ n = 'Errors'; e = { ($_.Errors | ForEach-Object { "$($_.Code) $($_.Message)" }) -join '; ' } }
} | Format-Table -AutoSize -Wrap
Disconnect-MgGraph | Out-Null
if ($status -ne 'completed') { exit 1 }
